/** Addresses as others can use them: a daemon that listens on all addresses names one by which the machine is reached. */

import { networkInterfaces } from 'node:os';
import { isIPv6 } from 'node:net';

export type Interfaces = ReturnType<typeof networkInterfaces>;

/** `HOST:PORT` or a URL; only 0.0.0.0 and [::] (also within a URL) are replaced. */
export function advertised(address: string, interfaces: Interfaces = networkInterfaces()): string {
  const wildcard = /^((?:https?:\/\/)?)(0\.0\.0\.0|\[::\])(?=:|\/|$)/.exec(address);
  if (wildcard === null) return address;
  const [found, scheme = '', host] = wildcard;
  return `${scheme}${reachable(host === '[::]', interfaces)}${address.slice(found.length)}`;
}

/** [::] takes IPv4 as well, which more scrapers speak. */
function reachable(both: boolean, interfaces: Interfaces): string {
  const others = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  const v4 = others.find(({ address }) => !isIPv6(address));
  const v6 = both ? others.find(({ address }) => isIPv6(address)) : undefined;
  if (v4 !== undefined) return v4.address;
  return v6 === undefined ? '127.0.0.1' : `[${v6.address}]`;
}
