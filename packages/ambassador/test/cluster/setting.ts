/** Clients that ask a plain Redis and an ambassador before a cluster the same, and tell where the answers differ. */

import type { Cluster, ClusterNode } from '../../../../test/harness/index.ts';
import { slotOf } from '../../src/commands/slot.ts';
import { command } from '../session/setting.ts';
import type { Client } from '../session/setting.ts';

/** Words of a command; one with a space in it is written as an array. */
export type Line = string | readonly string[];

export function words(line: Line): readonly string[] {
  return typeof line === 'string' ? line.split(' ') : line;
}

/** All in one write. */
export async function pipeline(client: Client, lines: readonly Line[]): Promise<string[]> {
  client.send(lines.map((line) => command(...words(line))).join(''));
  return client.replies(lines.length);
}

/** One after the other. */
export async function inTurn(client: Client, lines: readonly Line[]): Promise<string[]> {
  const replies: string[] = [];
  for (const line of lines) replies.push(await client.ask(...words(line)));
  return replies;
}

/** Each command with its answer, so that a difference tells whose it is. */
export function told(lines: readonly Line[], replies: readonly string[]): (readonly [string, string])[] {
  return lines.map((line, i) => [words(line).join(' ').slice(0, 80), replies[i] ?? 'nothing'] as const);
}

export function slot(key: string): number {
  return slotOf(Buffer.from(key, 'latin1'));
}

/** The nth part of the slots is the nth primary's, as long as none was moved. */
export function ownerOf(cluster: Cluster, key: string): ClusterNode {
  const { primaries } = cluster;
  const at = primaries.findIndex((_, i) => slot(key) < Math.floor(((i + 1) * 16_384) / primaries.length));
  return primaries[at] as ClusterNode;
}

/** `count` keys that this primary has, each in another slot. */
export function keysAt(cluster: Cluster, owner: ClusterNode, count: number, prefix = 'k'): string[] {
  const keys: string[] = [];
  const slots = new Set<number>();
  for (let i = 0; keys.length < count; i++) {
    const key = `${prefix}${i}`;
    if (ownerOf(cluster, key) !== owner || slots.has(slot(key))) continue;
    slots.add(slot(key));
    keys.push(key);
  }
  return keys;
}

/** As RESP writes a value. */
export function bulk(value: string): string {
  return `$${value.length}\r\n${value}\r\n`;
}
