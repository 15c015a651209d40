/** Whom /probe may ask: anybody who reaches the page chooses the target, so it is one of a list. */

import { errorCode, OutriggerError } from '@outrigger/core/errors';
import { lookup } from 'node:dns/promises';
import { SourceError } from '../sources/source.ts';
import { BlockList, isIP, isIPv6 } from 'node:net';

/** All addresses of a name. */
export type Resolve = (name: string) => Promise<readonly string[]>;

export const systemResolve: Resolve = async (name) =>
  (await lookup(name, { all: true })).map(({ address }) => address);

export class AllowList {
  readonly #addresses = new BlockList();
  readonly #names = new Set<string>();

  /** Hosts, addresses and CIDRs. Throws CONFIG_INVALID. */
  constructor(entries: readonly string[]) {
    for (const entry of entries) this.#add(entry.trim().toLowerCase());
  }

  /**
   * The URL to ask, so that nothing else is asked than what was checked: a name that is allowed itself stays; one
   * whose addresses are allowed is replaced by its first, because it may lead elsewhere the next moment. With https it
   * stays: the certificate says who answers. Throws PROBE_FORBIDDEN, and SourceError when there is no such name.
   */
  async urlToAsk(target: URL, resolve: Resolve): Promise<URL> {
    const host = target.hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
    if (this.#names.has(host)) return target;
    const addresses = isIP(host) === 0 ? await addressesOf(host, resolve) : [host];
    const [first] = addresses;
    if (first === undefined || !addresses.every((address) => this.#has(address))) {
      throw new OutriggerError(`${host} is not a host that may be probed`, {
        code: 'PROBE_FORBIDDEN',
        target: host,
        hint: 'add it, its address or its network to probe.allow',
      });
    }
    const url = new URL(target);
    if (url.protocol === 'http:') url.hostname = isIPv6(first) ? `[${first}]` : first;
    return url;
  }

  #has(address: string): boolean {
    const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
    const plain = mapped ?? address;
    return this.#addresses.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
  }

  #add(entry: string): void {
    const [network = '', prefix] = entry.split('/');
    const family = isIPv6(network) ? 'ipv6' : 'ipv4';
    const most = family === 'ipv6' ? 128 : 32;
    const isAddress = isIP(network) !== 0;
    const length = prefix === undefined ? most : Number(/^\d+$/.test(prefix) ? prefix : Number.NaN);
    if (isAddress && length >= 0 && length <= most) this.#addresses.addSubnet(network, length, family);
    else if (!isAddress && prefix === undefined && /^[a-z0-9_.-]+$/.test(entry)) this.#names.add(entry);
    else {
      throw new OutriggerError(`${JSON.stringify(entry)} names no host, address or network`, {
        code: 'CONFIG_INVALID',
        target: 'probe.allow',
        hint: 'want names such as localhost, or 127.0.0.0/8',
      });
    }
  }
}

async function addressesOf(name: string, resolve: Resolve): Promise<readonly string[]> {
  try {
    return await resolve(name);
  } catch (error) {
    throw new SourceError('dns', `${name} has no address: ${errorCode(error)}; check the name`, {
      cause: error,
    });
  }
}
