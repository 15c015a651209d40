/** Node object → record: the proxy watches its own Node only. */

import { canonicalCidr, canonicalIp } from './ip.ts';
import type { NodeFields } from './objects.ts';
import type { NodeRecord } from './records.ts';

const ZONE_LABEL = 'topology.kubernetes.io/zone';
/** The autoscaler is about to remove the node. Cordoning does not count: its endpoints still serve. */
const LEAVING_TAINT = 'ToBeDeletedByClusterAutoscaler';

export function projectNode(object: NodeFields): NodeRecord | undefined {
  const { name, labels, deletionTimestamp } = object.metadata ?? {};
  if (!name) return undefined;
  const { podCIDR, podCIDRs, taints } = object.spec ?? {};
  const cidrs = podCIDRs?.length ? podCIDRs : podCIDR ? [podCIDR] : [];
  return {
    name,
    zone: labels?.[ZONE_LABEL] ?? '',
    podCIDRs: cidrs.flatMap((cidr) => canonicalCidr(cidr)?.address ?? []),
    addresses: [...nodeAddresses(object, 'InternalIP'), ...nodeAddresses(object, 'ExternalIP')],
    leaving: !!deletionTimestamp || (taints ?? []).some((taint) => taint.key === LEAVING_TAINT),
  };
}

function nodeAddresses(object: NodeFields, type: string): string[] {
  return (object.status?.addresses ?? []).flatMap((entry) =>
    entry.type === type && entry.address ? (canonicalIp(entry.address)?.address ?? []) : [],
  );
}
