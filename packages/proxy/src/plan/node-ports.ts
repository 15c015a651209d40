/** On which of its addresses a node answers NodePorts. */

import { addressMatcher, familyOf } from '../catalog/ip.ts';

/**
 * Those inside `--nodeport-addresses`; without the flag the node's first address of each family, as kube-proxy does in
 * nftables mode. Loopback answers only when a range names it: a NodePort there needs a proxy, not a rule.
 */
export function nodePortAddressesOf(
  nodeAddresses: readonly string[],
  cidrs: readonly string[],
): readonly string[] {
  if (cidrs.length > 0) return nodeAddresses.filter(addressMatcher(cidrs));
  const outside = nodeAddresses.filter((address) => !isLoopback(address));
  return outside.filter(
    (address, index) => outside.findIndex((one) => familyOf(one) === familyOf(address)) === index,
  );
}

const isLoopback = addressMatcher(['127.0.0.0/8', '::1/128']);
