/** A Redis of a few commands, whose data is the history of its effects: what a simulation's servers execute. */

import { createHash } from 'node:crypto';
import { serverAt } from '../../src/upstream/server.ts';
import type { Server } from '../../src/upstream/server.ts';
import type { Sample } from '../../src/topology/topology.ts';

export interface Effect {
  readonly db: number;
  readonly key: string;
  readonly kind: 'set' | 'push' | 'pop';
  /** Unique in the world: `KEY|WHO`. */
  readonly value: string;
}

/** What a server keeps of one connection. */
export interface Peer {
  /** What the server was when the connection was opened. */
  readonly openedAs: 'master' | 'slave';
  db: number;
  queue: string[][] | undefined;
  /** A command was refused while it was queued. */
  spoiled: boolean;
  readonly watched: Map<string, Effect | undefined>;
  /** Commands that wait behind one that blocks. */
  blocked: string[] | undefined;
}

export const script = "return redis.call('SET', KEYS[1], ARGV[1])";
export const sha = createHash('sha1').update(script).digest('hex');

const writing = new Set(['SET', 'RPUSH', 'BLPOP']);
const dataless = new Set(['PING', 'ECHO', 'SELECT', 'CLIENT', 'SCRIPT', 'MULTI', 'DISCARD']);

export const ok = '+OK\r\n';
export const nothing = '$-1\r\n';

export function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

export class SimulatedRedis {
  readonly name: string;
  readonly server: Server;
  runId: string;
  role: 'master' | 'slave' = 'slave';
  replId = 'history 1';
  previousReplId: string | undefined;
  log: Effect[] = [];
  up = true;
  loading = false;
  /** A replica that has lost its primary and serves nothing meanwhile. */
  cutOff = false;
  scripts = new Set<string>();
  /** Reads it has answered as a replica. */
  replicaReads = 0;
  /** Told of every effect, before it counts. */
  readonly #onEffect: (effect: Effect, at: SimulatedRedis, by: Peer) => void;

  constructor(n: number, onEffect: (effect: Effect, at: SimulatedRedis, by: Peer) => void) {
    const server = serverAt({ kind: 'tcp', host: `10.0.0.${n}`, port: 6379 });
    this.name = server.name;
    this.server = server;
    this.runId = `${n}.1`;
    this.#onEffect = onEffect;
  }

  /** What it says to the poller; undefined while it is down. */
  sample(): Sample | undefined {
    if (!this.up) return undefined;
    const { runId, role, replId, previousReplId, loading, cutOff } = this;
    const offset = this.log.length;
    return { runId, role, replId, previousReplId, offset, loading, syncing: false, linkDown: cutOff };
  }

  /** Takes one more effect of its primary, or the primary's whole data where the histories part. */
  follow(primary: SimulatedRedis): void {
    if (this.cutOff || !this.up || this === primary) return;
    if (this.replId === primary.replId) {
      const next = primary.log[this.log.length];
      if (next !== undefined) this.log.push(next);
      return;
    }
    const continues =
      primary.previousReplId === this.replId && this.log.every((effect, i) => primary.log[i] === effect);
    this.previousReplId = continues ? this.replId : undefined;
    this.replId = primary.replId;
    if (!continues) this.log = [...primary.log];
  }

  /** The answer; undefined while the command blocks. */
  execute(peer: Peer, args: readonly string[]): string | undefined {
    const name = args[0]?.toUpperCase() ?? '';
    if (peer.queue === undefined || ['EXEC', 'DISCARD', 'MULTI'].includes(name)) {
      const refused = this.#refusal(name, peer);
      if (refused === undefined) return this.#run(peer, name, args);
      if (name !== 'EXEC' || peer.queue === undefined) return refused;
      peer.queue = undefined;
      peer.watched.clear();
      return `-EXECABORT Transaction discarded because of: ${refused.slice(1)}`;
    }
    const refusal = this.#refusal(name, peer);
    if (refusal === undefined) peer.queue.push([...args]);
    else peer.spoiled = true;
    return refusal ?? '+QUEUED\r\n';
  }

  newest(db: number, key: string): Effect | undefined {
    return this.log.findLast((one) => one.key === key && one.db === db);
  }

  #refusal(name: string, peer: Peer): string | undefined {
    if (this.loading) return '-LOADING Redis is loading the dataset in memory\r\n';
    if (dataless.has(name) || this.role === 'master') return undefined;
    if (this.cutOff)
      return "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n";
    const queued = name === 'EXEC' && peer.queue?.some(([one = '']) => writing.has(one));
    return writing.has(name) || queued === true
      ? "-READONLY You can't write against a read only replica.\r\n"
      : undefined;
  }

  #run(peer: Peer, name: string, args: readonly string[]): string | undefined {
    const [, key = '', value = ''] = args;
    switch (name) {
      case 'GET':
        return this.#get(peer, key);
      case 'ECHO':
        return bulk(key);
      case 'SET':
        return this.#effect(peer, { db: peer.db, key, kind: 'set', value }, ok);
      case 'RPUSH':
        return this.#effect(peer, { db: peer.db, key, kind: 'push', value }, ':1\r\n');
      case 'BLPOP':
        return this.#pop(peer, key);
      case 'EVALSHA':
        return this.#script(peer, args);
      case 'MULTI':
        peer.queue = [];
        peer.spoiled = false;
        return ok;
      case 'EXEC':
        return this.#exec(peer);
      case 'WATCH':
        peer.watched.set(`${peer.db} ${key}`, this.newest(peer.db, key));
        return ok;
      case 'SELECT':
        peer.db = Number(key);
        return ok;
      case 'SCRIPT':
        this.scripts.add(sha);
        return bulk(sha);
      case 'PING':
        return '+PONG\r\n';
      case 'CLIENT':
        return ok;
      default:
        return `-ERR unknown command '${name}'\r\n`;
    }
  }

  #get(peer: Peer, key: string): string {
    const found = this.log.findLast((one) => one.kind === 'set' && one.key === key && one.db === peer.db);
    if (this.role === 'slave') this.replicaReads++;
    // Who was deposed under an open connection shows old data, and nobody can know.
    const deposed = peer.openedAs === 'master' && this.role === 'slave' ? '!' : '';
    return found === undefined ? nothing : bulk(found.value + deposed);
  }

  #effect(peer: Peer, effect: Effect, answer: string): string {
    this.#onEffect(effect, this, peer);
    this.log.push(effect);
    return answer;
  }

  #pop(peer: Peer, key: string): string | undefined {
    const items: string[] = [];
    for (const one of this.log) {
      if (one.key !== key || one.db !== peer.db) continue;
      if (one.kind === 'push') items.push(one.value);
      if (one.kind === 'pop') items.shift();
    }
    const [value] = items;
    if (value === undefined) return peer.queue === undefined ? undefined : '*-1\r\n';
    return this.#effect(
      peer,
      { db: peer.db, key, kind: 'pop', value: `${value} popped` },
      `*2\r\n${bulk(key)}${bulk(value)}`,
    );
  }

  #script(peer: Peer, [, digest = '', , key = '', value = '']: readonly string[]): string {
    if (!this.scripts.has(digest)) return '-NOSCRIPT No matching script. Please use EVAL.\r\n';
    if (this.role === 'slave') return "-READONLY You can't write against a read only replica. script: x\r\n";
    return this.#effect(peer, { db: peer.db, key, kind: 'set', value }, ok);
  }

  #exec(peer: Peer): string {
    const { queue, watched, spoiled } = peer;
    if (queue === undefined) return '-ERR EXEC without MULTI\r\n';
    peer.queue = undefined;
    const changed = [...watched].some(([at, was]) => {
      const [db, key = ''] = at.split(' ');
      return this.newest(Number(db), key) !== was;
    });
    watched.clear();
    if (spoiled) return '-EXECABORT Transaction discarded because of previous errors.\r\n';
    if (changed) return '*-1\r\n';
    return `*${queue.length}\r\n${queue.map((args) => this.#run(peer, args[0] ?? '', args)).join('')}`;
  }
}
