/**
 * IP addresses and CIDRs as canonical strings, so that equal addresses are equal strings.
 *
 * Objects written before Kubernetes was strict may hold `010.0.0.1`; it reads leading zeros as decimal, and so do we: the
 * kernel, or a resolver that takes them as octal, must never see them. (The API's own checks in core refuse such
 * text; this is for objects that exist already.)
 */

import { BlockList, isIPv6, SocketAddress } from 'node:net';
import type { Family } from './records.ts';

export interface Ip {
  readonly address: string;
  readonly family: Family;
}

/** Reads an address leniently and writes it strictly; undefined when it is none. IPv4-mapped IPv6 is IPv4. */
export function canonicalIp(text: string): Ip | undefined {
  const trimmed = text.trim();
  if (!trimmed.includes(':')) {
    const address = canonicalV4(trimmed);
    return address === undefined ? undefined : { address, family: 'IPv4' };
  }
  if (!isIPv6(trimmed) || trimmed.includes('%')) return undefined;
  const { address } = new SocketAddress({ address: trimmed, family: 'ipv6' });
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  return mapped === undefined ? { address, family: 'IPv6' } : { address: mapped, family: 'IPv4' };
}

/** `ADDRESS/LENGTH` with a canonical address; host bits are kept, they change nothing. */
export function canonicalCidr(text: string): Ip | undefined {
  const [address = '', length = '', ...rest] = text.trim().split('/');
  const ip = canonicalIp(address);
  if (ip === undefined || rest.length > 0 || !/^\d{1,3}$/.test(length)) return undefined;
  if (Number(length) > (ip.family === 'IPv4' ? 32 : 128)) return undefined;
  return { address: `${ip.address}/${Number(length)}`, family: ip.family };
}

/** The family of an address or CIDR already known to be canonical. */
export function familyOf(canonical: string): Family {
  return canonical.includes(':') ? 'IPv6' : 'IPv4';
}

/** `10.0.0.1:80`, `[fd00::1]:80`. */
export function endpointKey(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** A membership test over canonical CIDRs and single addresses. */
export function addressMatcher(cidrs: readonly string[]): (address: string) => boolean {
  if (cidrs.length === 0) return () => false;
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', length] = cidr.split('/');
    const type = blockListType(address);
    if (length === undefined) list.addAddress(address, type);
    else list.addSubnet(address, Number(length), type);
  }
  return (address) => list.check(address, blockListType(address));
}

function canonicalV4(text: string): string | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let sloppy = false;
  for (const part of parts) {
    if (!/^\d{1,10}$/.test(part) || Number(part) > 255) return undefined;
    if (part.length > 1 && part.startsWith('0')) sloppy = true;
  }
  return sloppy ? parts.map(Number).join('.') : text;
}

function blockListType(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}
