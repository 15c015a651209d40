/**
 * What a client sees of a Redis Cluster behind the ambassador: none. To it this is one plain Redis that happens to hold
 * everything, so it must not be tempted to find the nodes itself and go past the ambassador:
 *
 * - CLUSTER … answers what a Redis without cluster support answers, READONLY, READWRITE and ASKING too (answer.ts);
 * - HELLO says `mode standalone` (identity.ts), INFO says `redis_mode:standalone` and `cluster_enabled:0`.
 *
 * A library in its cluster mode therefore stops at its first CLUSTER SLOTS with Redis's own text, which says what is wrong:
 * it must be configured for a single server. Nodes, slots and shards are seen at the cluster itself, or at /debug.
 */

import { error } from './encode.ts';

/** The answer to CLUSTER, whatever follows it. */
export function clusterAnswer(args: readonly Buffer[]): Uint8Array {
  return args.length < 2
    ? error("ERR wrong number of arguments for 'cluster' command")
    : error('ERR This instance has cluster support disabled');
}

/** A node's whole reply to INFO, told as a standalone server tells it. Anything else comes back as it is. */
export function standaloneInfo(reply: Uint8Array): Uint8Array {
  const bytes = Buffer.from(reply.buffer, reply.byteOffset, reply.byteLength);
  const type = String.fromCharCode(bytes[0] ?? 0);
  if (type !== '$' && type !== '=') return reply;
  const start = bytes.indexOf(0x0a) + 1;
  const body = bytes.toString('latin1', start, bytes.length - 2);
  const told = body
    .replace(/^redis_mode:cluster\r$/m, 'redis_mode:standalone\r')
    .replace(/^cluster_enabled:1\r$/m, 'cluster_enabled:0\r');
  return told === body ? reply : Buffer.from(`${type}${told.length}\r\n${told}\r\n`, 'latin1');
}
