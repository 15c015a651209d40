/** IP addresses and CIDRs as text: parsing, the canonical form (RFC 5952), and the checks of the API. */

import { isIPv6 } from 'node:net';

/** Character code of the digit 0. */
const zero = 0x30;

export type IPFamily = 'IPv4' | 'IPv6';

/** 4 or 16 bytes, or undefined. Leading zeros, zones and IPv4-mapped forms are refused: programs disagree about them. */
export function parseIP(text: string): Uint8Array | undefined {
  if (!text.includes(':')) return parseIPv4(text);
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const bytes = parseIPv6(text);
  return isMapped(bytes) ? undefined : bytes;
}

export function ipFamily(text: string): IPFamily | undefined {
  const bytes = parseIP(text);
  if (bytes === undefined) return undefined;
  return bytes.length === 4 ? 'IPv4' : 'IPv6';
}

/** The one way to write an address: `2001:DB8:0::1` → `2001:db8::1`. */
export function canonicalIP(text: string): string | undefined {
  const bytes = parseIP(text);
  return bytes === undefined ? undefined : formatIP(bytes);
}

export function formatIP(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => group(bytes, index).toString(16));
  const zeros = longestZeros(groups);
  if (zeros.length < 2) return groups.join(':');
  const tail = groups.slice(zeros.start + zeros.length);
  return `${groups.slice(0, zeros.start).join(':')}::${tail.join(':')}`;
}

export interface CIDR {
  readonly family: IPFamily;
  /** First address: bits behind the prefix are 0. */
  readonly base: Uint8Array;
  readonly prefix: number;
}

/** Undefined where the text is no CIDR. Bits behind the prefix are cleared. */
export function parseCIDR(text: string): CIDR | undefined {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text);
  const bytes = match === null ? undefined : parseIP(match[1] ?? '');
  const prefix = Number(match?.[2]);
  if (bytes === undefined || prefix > bytes.length * 8) return undefined;
  return { family: bytes.length === 4 ? 'IPv4' : 'IPv6', base: masked(bytes, prefix), prefix };
}

export function cidrContains(cidr: CIDR, ip: Uint8Array): boolean {
  if (ip.length !== cidr.base.length) return false;
  return masked(ip, cidr.prefix).every((byte, index) => byte === cidr.base[index]);
}

export function ipProblems(text: string): string[] {
  return parseIP(text) === undefined ? ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'] : [];
}

export function cidrProblems(text: string): string[] {
  return parseCIDR(text) === undefined
    ? ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']
    : [];
}

/** Why a valid address cannot be an endpoint or external address. `allowLoopback` is for one machine alone. */
export function specialIPProblems(text: string, allowLoopback = false): string[] {
  const ip = parseIP(text);
  if (ip === undefined) return [];
  const four = ip.length === 4;
  const problems: string[] = [];
  if (ip.every((byte) => byte === 0)) problems.push('may not be unspecified (0.0.0.0 or ::)');
  const loopback = four ? ip[0] === 127 : formatIP(ip) === '::1';
  if (loopback && !allowLoopback) problems.push('may not be in the loopback range (127.0.0.0/8, ::1/128)');
  if (within(linkLocal, ip)) {
    problems.push('may not be in the link-local range (169.254.0.0/16, fe80::/10)');
  }
  if (within(linkLocalMulticast, ip)) {
    problems.push('may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)');
  }
  return problems;
}

const linkLocal = ['169.254.0.0/16', 'fe80::/10'].map(parseCIDR);
const linkLocalMulticast = ['224.0.0.0/24', 'ff02::/16'].map(parseCIDR);

function within(ranges: readonly (CIDR | undefined)[], ip: Uint8Array): boolean {
  return ranges.some((cidr) => cidr !== undefined && cidrContains(cidr, ip));
}

function masked(bytes: Uint8Array, prefix: number): Uint8Array {
  return bytes.map((byte, index) => {
    const kept = Math.min(8, Math.max(0, prefix - index * 8));
    return byte & (0xff00 >> kept) & 0xff;
  });
}

/** By hand: every endpoint of every slice that is written comes by here. */
function parseIPv4(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(4);
  let at = 0;
  for (let index = 0; index < 4; index += 1) {
    const start = at;
    let byte = 0;
    for (; at < text.length && at - start < 3; at += 1) {
      const digit = text.charCodeAt(at) - zero;
      if (digit < 0 || digit > 9) break;
      byte = byte * 10 + digit;
    }
    const leadingZero = at - start > 1 && text.charCodeAt(start) === zero;
    if (at === start || byte > 255 || leadingZero) return undefined;
    bytes[index] = byte;
    if (index < 3 && text[at] !== '.') return undefined;
    at += 1;
  }
  return at === text.length + 1 ? bytes : undefined;
}

/** For text that `isIPv6` has accepted. */
function parseIPv6(text: string): Uint8Array {
  const [head = '', tail] = withoutDotted(text).split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : 8 - first.length - last.length;
  const groups = [...first, ...Array<string>(gap).fill('0'), ...last].map((word) =>
    Number.parseInt(word, 16),
  );
  return Uint8Array.from(groups.flatMap((word) => [word >> 8, word & 0xff]));
}

/** `::ffff:1.2.3.4` → `::ffff:102:304`. */
function withoutDotted(text: string): string {
  const match = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  if (match === null) return text;
  const [a = 0, b = 0, c = 0, d = 0] = match.slice(2).map(Number);
  return `${match[1]}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

function isMapped(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
}

function group(bytes: Uint8Array, index: number): number {
  return ((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0);
}

function longestZeros(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  for (const [index, word] of groups.entries()) {
    length = word === '0' ? length + 1 : 0;
    if (length > best.length) best = { start: index - length + 1, length };
  }
  return best;
}
