/** The two kinds of things that Services are given: addresses of a CIDR and node ports of a range, each by an index. */

import type { IPFamily } from '@outrigger/core/api';
import { cidrContains, formatIP, parseCIDR, parseIP } from '@outrigger/core/api';
import { OutriggerError } from '@outrigger/core/errors';

/**
 * What a pool is made of. Dynamic allocation takes from [band, end) first and from [first, band) only when nothing else
 * is left, so that whoever wants a certain value finds the low ones free.
 */
export interface Range {
  /** As configured: `10.96.0.0/16`, `30000-32767`. */
  readonly text: string;
  /** The lowest index that is given out. */
  readonly first: number;
  /** One index that only one Service may have: the first address belongs to `default/kubernetes`. */
  readonly reserved?: number;
  readonly band: number;
  /** One behind the highest index that is given out. */
  readonly end: number;
  /** Undefined where the text is not in the range. */
  indexOf(value: string): number | undefined;
  valueAt(index: number): string;
}

export interface AddressRange extends Range {
  readonly family: IPFamily;
}

/** Addresses in one range at most (2^20): what a /12 of IPv4 or a /108 of IPv6 holds. */
export const maxAddresses = 1_048_576;

/** Throws ALLOCATE_CIDR_INVALID. */
export function addressRange(text: string): AddressRange {
  const cidr = parseCIDR(text);
  if (cidr === undefined) throw invalidCIDR(text, 'is no CIDR; give one such as 10.96.0.0/16');
  const bits = cidr.base.length * 8 - cidr.prefix;
  if (bits > 20) throw invalidCIDR(text, `is too large; at most ${maxAddresses} addresses can be managed`);
  if (bits < 2) throw invalidCIDR(text, 'is too small; it must have at least 4 addresses');
  const size = 2 ** bits;
  const base = lowBits(cidr.base);
  // The network's own address and, in IPv4, the broadcast address are no Service's.
  const end = cidr.family === 'IPv4' ? size - 1 : size;
  return {
    text,
    family: cidr.family,
    first: 1,
    reserved: 1,
    band: 1 + bandOf(end - 1, { least: 16, most: 256, share: 16 }),
    end,
    indexOf: (value) => {
      const ip = parseIP(value);
      return ip !== undefined && cidrContains(cidr, ip) ? (lowBits(ip) - base) >>> 0 : undefined;
    },
    valueAt: (index) => formatIP(plus(cidr.base, index)),
  };
}

/** `30000-32767`. Throws ALLOCATE_PORT_RANGE_INVALID. */
export function portRange(text: string): Range {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(text);
  const first = Number(match?.[1] ?? 0);
  const last = Number(match?.[2] ?? 0);
  if (first < 1 || last > 65_535 || first > last) {
    throw new OutriggerError(`the node port range ${JSON.stringify(text)} is not FIRST-LAST within 1-65535`, {
      code: 'ALLOCATE_PORT_RANGE_INVALID',
      target: text,
      hint: 'give one such as 30000-32767',
    });
  }
  return {
    text,
    first,
    band: first + bandOf(last - first + 1, { least: 16, most: 128, share: 32 }),
    end: last + 1,
    indexOf: (value) => {
      const port = Number(value);
      return Number.isInteger(port) && port >= first && port <= last ? port : undefined;
    },
    valueAt: String,
  };
}

/** How many low values dynamic allocation leaves alone: a share of all, within bounds; none in a tiny range. */
function bandOf(
  size: number,
  { least, most, share }: { least: number; most: number; share: number },
): number {
  if (size <= least) return 0;
  return Math.min(Math.max(Math.floor(size / share), least), most);
}

/** The last four bytes as a number: ranges are smaller than that. */
function lowBits(ip: Uint8Array): number {
  return ip.subarray(-4).reduce((value, byte) => value * 256 + byte, 0);
}

/** `index` is smaller than what the bits behind the prefix can hold, so that no carry leaves the last four bytes. */
function plus(base: Uint8Array, index: number): Uint8Array {
  const ip = Uint8Array.from(base);
  let rest = lowBits(base) + index;
  for (let at = ip.length - 1; at >= ip.length - 4; at -= 1) {
    ip[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return ip;
}

function invalidCIDR(text: string, why: string): OutriggerError {
  return new OutriggerError(`the service CIDR ${JSON.stringify(text)} ${why}`, {
    code: 'ALLOCATE_CIDR_INVALID',
    target: text,
  });
}
