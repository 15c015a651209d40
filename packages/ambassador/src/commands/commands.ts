/**
 * Which commands may be routed one by one. Everything not named here is spliced: the list is what is known to be safe,
 * not what is known to be dangerous, so a new or unknown command is never sent to a replica by mistake.
 *
 * To be on the list a command must answer with exactly one reply, never block, and leave nothing behind in its
 * connection. Names and flags are those of Redis 7.2 (src/commands/*.json: READONLY, WRITE, BLOCKING, NO_MULTI).
 *
 * `read` is stricter: READONLY, one key (or plain keys of one lookup), and a reply that depends on the data alone. It
 * leaves out what a replica answers differently: cursors (SCAN), random picks, node-local facts (OBJECT, DBSIZE), DUMP
 * (its version), TOUCH (it counts for eviction), PFCOUNT (it may rewrite its key), SORT and BITFIELD (write commands).
 */

import { decodeRequest } from '@outrigger/core/resp';
import type { RequestScanner } from '@outrigger/core/resp';

export type CommandClass =
  /** May be answered by a replica. */
  | 'read'
  /** Changes data: the primary. */
  | 'write'
  /** Changes nothing, yet only the primary's answer is right. */
  | 'other'
  /** Names its connection to the primary, and does nothing else. */
  | 'naming'
  /** Ends routing for the session. */
  | 'splice'
  /** Depends on the subcommand: the request must be seen whole. */
  | 'container';

const words: Readonly<Record<'read' | 'write' | 'other' | 'container', string>> = {
  read: `
    GET MGET STRLEN GETRANGE SUBSTR GETBIT BITCOUNT BITPOS BITFIELD_RO EXISTS TYPE TTL PTTL EXPIRETIME PEXPIRETIME
    HGET HMGET HGETALL HKEYS HVALS HLEN HEXISTS HSTRLEN LINDEX LLEN LRANGE LPOS SORT_RO
    SCARD SISMEMBER SMISMEMBER SMEMBERS XLEN XRANGE XREVRANGE GEOPOS GEODIST GEOHASH GEOSEARCH GEORADIUS_RO GEORADIUSBYMEMBER_RO
    ZSCORE ZMSCORE ZCARD ZCOUNT ZLEXCOUNT ZRANK ZREVRANK ZRANGE ZREVRANGE ZRANGEBYSCORE ZREVRANGEBYSCORE ZRANGEBYLEX ZREVRANGEBYLEX`,
  write: `
    SET SETNX SETEX PSETEX GETSET GETDEL GETEX APPEND SETRANGE SETBIT BITFIELD BITOP INCR DECR INCRBY DECRBY INCRBYFLOAT
    MSET MSETNX DEL UNLINK EXPIRE PEXPIRE EXPIREAT PEXPIREAT PERSIST RENAME RENAMENX COPY
    HSET HSETNX HMSET HDEL HINCRBY HINCRBYFLOAT LPUSH RPUSH LPUSHX RPUSHX LPOP RPOP LSET LREM LTRIM LINSERT RPOPLPUSH LMOVE
    SADD SREM SPOP SMOVE SINTERSTORE SUNIONSTORE SDIFFSTORE ZADD ZINCRBY ZREM ZPOPMIN ZPOPMAX ZREMRANGEBYRANK ZREMRANGEBYSCORE
    ZREMRANGEBYLEX ZRANGESTORE ZINTERSTORE ZUNIONSTORE ZDIFFSTORE XADD XDEL XTRIM XACK PFADD PFMERGE GEOADD GEOSEARCHSTORE`,
  other: `
    PING ECHO TIME INFO DBSIZE COMMAND PUBLISH KEYS SCAN HSCAN SSCAN ZSCAN RANDOMKEY SRANDMEMBER HRANDFIELD ZRANDMEMBER
    TOUCH OBJECT PFCOUNT DUMP SINTER SUNION SDIFF ZINTER ZUNION ZDIFF LCS`,
  container: 'CLIENT',
};

/** Libraries send these at connect. */
const namingSubcommands: ReadonlySet<string> = new Set(['CLIENT SETINFO', 'CLIENT SETNAME']);

/** The table, for tests that compare it with a server and for documentation. */
export function commandNames(): Record<keyof typeof words, string[]> {
  const list = (text: string): string[] => text.trim().split(/\s+/);
  return {
    read: list(words.read),
    write: list(words.write),
    other: list(words.other),
    container: list(words.container),
  };
}

interface Entry {
  readonly name: Uint8Array;
  readonly class: Exclude<CommandClass, 'splice' | 'naming'>;
}

/** A look-up by the scanner's bytes that makes no string: names are compared byte by byte within their hash bucket. */
export class CommandTable {
  readonly #buckets: (Entry | undefined)[] = Array.from({ length: bucketCount });

  constructor() {
    for (const [kind, names] of Object.entries(commandNames())) {
      for (const name of names) this.#add(name, kind as Entry['class']);
    }
  }

  /** The class of the request whose head the scanner has just announced. A line of words is spliced: people type them. */
  classify(scanner: RequestScanner): CommandClass {
    return scanner.inline ? 'splice' : this.find(scanner.name, scanner.nameLength);
  }

  find(name: Uint8Array, length: number): CommandClass {
    if (length <= 0) return 'splice';
    for (let slot = hash(name, length); ; slot = (slot + 1) % bucketCount) {
      const entry = this.#buckets[slot];
      if (entry === undefined) return 'splice';
      if (same(entry.name, name, length)) return entry.class;
    }
  }

  #add(name: string, kind: Entry['class']): void {
    const bytes = Buffer.from(name);
    let slot = hash(bytes, bytes.length);
    while (this.#buckets[slot] !== undefined) slot = (slot + 1) % bucketCount;
    this.#buckets[slot] = { name: bytes, class: kind };
  }
}

/** The class of a container command, decided by the whole request. */
export function classifyContainer(frame: Uint8Array): 'naming' | 'splice' {
  return containerClass(decodeRequest(frame).map((arg) => arg.toString('latin1')));
}

export function containerClass(args: readonly string[]): 'naming' | 'splice' {
  const [name = '', subcommand = ''] = args;
  return namingSubcommands.has(`${name} ${subcommand}`.toUpperCase()) ? 'naming' : 'splice';
}

/** A power of two well above the number of names, so that buckets stay short. */
const bucketCount = 1024;

/** FNV-1a. */
function hash(name: Uint8Array, length: number): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < length; i++) value = Math.imul(value ^ (name[i] as number), 0x01000193);
  return (value >>> 0) % bucketCount;
}

function same(known: Uint8Array, name: Uint8Array, length: number): boolean {
  if (known.length !== length) return false;
  for (let i = 0; i < length; i++) if (known[i] !== name[i]) return false;
  return true;
}
