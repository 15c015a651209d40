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
  protocol: number;
  /** ASKING: of the next command. */
  asking: boolean;
  /** CLIENT REPLY SKIP: of the next command. */
  skips: boolean;
  /** READONLY: it may read at a replica of a cluster. */
  readonly readonly: boolean;
  /** Where its last write stands, and how often WAIT has looked who has that. */
  wrote: number;
  looks: number;
  readonly channels: Set<string>;
  /** Which it is, and the messages it was sent since it subscribed. */
  readonly number: number;
  messages: number;
}

/** What keeps a server from a command whose keys are another's; undefined: they are its own. */
export type Gate = (at: SimulatedRedis, peer: Peer, keys: readonly string[]) => string | undefined;

export const script = "return redis.call('SET', KEYS[1], ARGV[1])";
export const sha = createHash('sha1').update(script).digest('hex');

const writing = new Set(['SET', 'RPUSH', 'BLPOP', 'MSET', 'DEL']);
const dataless = new Set(
  'ECHO SELECT CLIENT SCRIPT MULTI DISCARD HELLO ASKING SUBSCRIBE UNSUBSCRIBE WAIT'.split(' '),
);
const whileLoading = new Set('MULTI EXEC DISCARD WATCH SELECT HELLO CLIENT SUBSCRIBE UNSUBSCRIBE'.split(' '));
const whileSubscribed = new Set(['PING', 'SUBSCRIBE', 'UNSUBSCRIBE']);

export const ok = '+OK\r\n';

const holding = new Set([...writing, 'PING', 'GET', 'MGET', 'EVALSHA', 'EXEC', 'WATCH']);

/** What is not there. */
export function nothing(protocol: number, list = false): string {
  if (protocol === 3) return '_\r\n';
  return list ? '*-1\r\n' : '$-1\r\n';
}

/** The keys of a request. */
export function keysIn(args: readonly string[]): string[] {
  const [name, ...rest] = args;
  switch (name?.toUpperCase()) {
    case 'GET':
    case 'SET':
    case 'RPUSH':
    case 'BLPOP':
    case 'WATCH':
      return rest.slice(0, 1);
    case 'MGET':
    case 'DEL':
      return rest;
    case 'MSET':
      return rest.filter((_, i) => i % 2 === 0);
    case 'EVALSHA':
      return rest.slice(2, 3);
    default:
      return [];
  }
}

export function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

export function greeting(protocol: number): string {
  return `${protocol === 3 ? '%1' : '*2'}\r\n${bulk('proto')}:${protocol}\r\n`;
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
  gate: Gate = () => undefined;
  /** Replicas that have what stands at that place. */
  acks: (place: number) => number = () => 0;
  /** A user may not begin a transaction. */
  noMulti = false;
  /** Connections it has had. */
  peers = 0;
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
    const { asking, skips } = peer;
    const answer = this.#execute(peer, args);
    // What blocks goes on as it began.
    peer.asking = args[0] === 'ASKING' || (answer === undefined && asking);
    peer.skips = args.join(' ') === 'CLIENT REPLY SKIP' || (answer === undefined && skips);
    return answer !== undefined && (skips || peer.skips) ? '' : answer;
  }

  /** A message to whoever of its connections is subscribed, each with a number of its own. */
  publish(peer: Peer, channel: string): string {
    if (!peer.channels.has(channel)) return '';
    const text = `${peer.number}.${++peer.messages}`;
    return `${peer.protocol === 3 ? '>' : '*'}3\r\n${bulk('message')}${bulk(channel)}${bulk(text)}`;
  }

  #execute(peer: Peer, args: readonly string[]): string | undefined {
    const name = args[0]?.toUpperCase() ?? '';
    if (!dataless.has(name) && !holding.has(name)) {
      peer.spoiled = true;
      return `-ERR unknown command '${args[0]}', with args beginning with: \r\n`;
    }
    // What the ambassador makes a transaction fail with.
    if (name === 'CLIENT' && args.length < 2) {
      peer.spoiled = true;
      return "-ERR wrong number of arguments for 'client' command\r\n";
    }
    if (name === 'MULTI' && this.noMulti) return "-NOPERM User default has no permissions to run 'multi'\r\n";
    if (peer.protocol === 2 && peer.channels.size > 0 && !whileSubscribed.has(name))
      return `-ERR Can't execute '${name.toLowerCase()}': only (P|S)SUBSCRIBE / PING are allowed\r\n`;
    if (peer.queue === undefined || ['EXEC', 'DISCARD', 'MULTI'].includes(name)) {
      const queued = name === 'EXEC' ? (peer.queue ?? []).flatMap((one) => keysIn(one)) : [];
      const refused = this.#refusal(name, peer) ?? this.gate(this, peer, [...keysIn(args), ...queued]);
      if (refused === undefined) return this.#run(peer, name, args);
      if (name !== 'EXEC' || peer.queue === undefined) return refused;
      peer.queue = undefined;
      peer.watched.clear();
      return `-EXECABORT Transaction discarded because of: ${refused.slice(1)}`;
    }
    const refusal = this.#refusal(name, peer) ?? this.gate(this, peer, keysIn(args));
    if (refusal === undefined) peer.queue.push([...args]);
    else peer.spoiled = true;
    return refusal ?? '+QUEUED\r\n';
  }

  newest(db: number, key: string): Effect | undefined {
    return this.log.findLast((one) => one.key === key && one.db === db);
  }

  #refusal(name: string, peer: Peer): string | undefined {
    const waits = name === 'EXEC' && (peer.queue?.length ?? 0) > 0;
    if (this.loading && (waits || !whileLoading.has(name)))
      return '-LOADING Redis is loading the dataset in memory\r\n';
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
      case 'MGET':
        return `*${args.length - 1}\r\n${keysIn(args)
          .map((one) => this.#get(peer, one))
          .join('')}`;
      case 'MSET':
        for (const [i, one] of keysIn(args).entries())
          this.#effect(peer, { db: peer.db, key: one, kind: 'set', value: args[2 * i + 2] ?? '' }, ok);
        return ok;
      case 'DEL':
        return ':0\r\n';
      case 'HELLO':
        peer.protocol = Number(key);
        return greeting(peer.protocol);
      case 'ASKING':
        return ok;
      case 'SUBSCRIBE':
      case 'UNSUBSCRIBE':
        return this.#subscribe(peer, name, key);
      case 'ECHO':
        return bulk(key);
      case 'WAIT':
        return this.#wait(peer, Number(key));
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
        if (peer.protocol === 2 && peer.channels.size > 0) return `*2\r\n${bulk('pong')}${bulk(key)}`;
        return key === '' ? '+PONG\r\n' : bulk(key);
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
    return found === undefined ? nothing(peer.protocol) : bulk(found.value + deposed);
  }

  #effect(peer: Peer, effect: Effect, answer: string): string {
    this.#onEffect(effect, this, peer);
    this.log.push(effect);
    peer.wrote = this.log.length;
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
    if (value === undefined) return peer.queue === undefined ? undefined : nothing(peer.protocol, true);
    return this.#effect(
      peer,
      { db: peer.db, key, kind: 'pop', value: `${value} popped` },
      `*2\r\n${bulk(key)}${bulk(value)}`,
    );
  }

  #subscribe(peer: Peer, name: string, channel: string): string {
    if (name === 'SUBSCRIBE') {
      if (peer.channels.size === 0) peer.messages = 0;
      peer.channels.add(channel);
    } else peer.channels.delete(channel);
    const type = peer.protocol === 3 ? '>' : '*';
    return `${type}3\r\n${bulk(name.toLowerCase())}${bulk(channel)}:${peer.channels.size}\r\n`;
  }

  /** Blocks, as often as it is looked at, until so many have it or the time is up. */
  #wait(peer: Peer, replicas: number): string | undefined {
    const have = this.acks(peer.wrote);
    if (have < replicas && peer.queue === undefined && ++peer.looks < 6) return undefined;
    peer.looks = 0;
    return `:${have}\r\n`;
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
    if (changed) return nothing(peer.protocol, true);
    return `*${queue.length}\r\n${queue.map((args) => this.#run(peer, args[0] ?? '', args)).join('')}`;
  }
}
