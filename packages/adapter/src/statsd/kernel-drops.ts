/**
 * What the kernel threw away before we could read it: /proc/net/udp tells it per socket (column `drops`), together with
 * the bytes that wait. Nothing else does, and a sender over UDP never learns of it.
 */

import { readFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { errorCode } from '@outrigger/core/errors';
import type { TcpAddress } from '@outrigger/core/net';

export interface UdpSocketState {
  /** Datagrams dropped since the socket was made. */
  readonly dropped: number;
  /** Bytes that wait to be read, the kernel's bookkeeping included. */
  readonly queuedBytes: number;
}

/** Undefined where the system does not tell (it is no Linux). */
export async function readUdpState({ host, port }: TcpAddress): Promise<UdpSocketState | undefined> {
  try {
    const table = await readFile(isIPv4(host) ? '/proc/net/udp' : '/proc/net/udp6', 'latin1');
    return udpStateIn(table, host, port);
  } catch (error) {
    if (['ENOENT', 'EACCES'].includes(errorCode(error))) return undefined;
    throw error;
  }
}

/** The state of the unconnected socket bound to an address, in the kernel's table. */
export function udpStateIn(table: string, host: string, port: number): UdpSocketState | undefined {
  const local = `${kernelHex(host)}:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const line of table.split('\n')) {
    const columns = line.trim().split(/\s+/);
    if (columns[1] !== local) continue;
    const queuedBytes = Number.parseInt(columns[4]?.split(':')[1] ?? '0', 16);
    return { dropped: Number(columns.at(-1)), queuedBytes };
  }
  return undefined;
}

/** Addresses as the kernel prints them: words of 32 bits, each in the byte order of the machine (little-endian). */
function kernelHex(host: string): string {
  const bytes = isIPv4(host) ? host.split('.').map(Number) : bytesOfV6(host);
  let text = '';
  for (let word = 0; word < bytes.length; word += 4) {
    for (let at = word + 3; at >= word; at--) text += (bytes[at] ?? 0).toString(16).padStart(2, '0');
  }
  return text.toUpperCase();
}

function bytesOfV6(host: string): number[] {
  const [plain = ''] = host.split('%');
  const [head = '', tail] = plain.split('::');
  const left = groupsOf(head);
  const right = tail === undefined ? [] : groupsOf(tail);
  const zeros = Array.from({ length: tail === undefined ? 0 : 8 - left.length - right.length }, () => 0);
  return [...left, ...zeros, ...right].flatMap((group) => [group >> 8, group & 255]);
}

function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}
