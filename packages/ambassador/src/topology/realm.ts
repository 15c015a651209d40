/**
 * Where servers come from, as sessions see it: a realm is everything one configuration of upstreams reaches, a shard the
 * servers that hold the same data. Static servers, Services and Sentinel make a realm of one shard; a Redis Cluster has
 * one for each primary; a key-prefix route is a realm of its own.
 */

import type { Server } from '../upstream/server.ts';
import type { Topology } from './topology.ts';

export interface Shard {
  /** Stable while the shard exists: what fences and debug output are kept by. */
  readonly name: string;
  /** Which replica has proven what (topology.ts). */
  readonly topology: Topology;
  /**
   * The server to write to: its role was verified, and no other server of the shard is believed to be one. Undefined
   * while a new primary is being elected or two servers claim to be it.
   */
  readonly primary: Server | undefined;
  /** Why there is no primary; '' when there is one. */
  readonly why: string;
  /** There is none for this moment only: one is being asked, and the answer is due within `pollTimeoutMs`. */
  readonly checking: boolean;
  /**
   * While there is no primary: the server that would be it, if a script did not keep it too busy to say so, and its words.
   * Its role is not verified, so it is for what ends such a script alone.
   */
  readonly busy: { readonly server: Server; readonly why: string } | undefined;
  /** It gives slots to another shard: what a replica says is not there may be elsewhere (moves.ts). */
  readonly moving: boolean;
  /** The server behind a replica of `topology`; undefined once it is gone. */
  server(name: string): Server | undefined;
  /** Asks for a round of questions soon (rounds.ts). */
  needRound(): void;
}

/** What a server said or did that contradicts what is believed of it. */
export type Doubt =
  | { readonly kind: 'lost'; readonly server: string }
  /** -READONLY from what was thought the primary. */
  | { readonly kind: 'readonly'; readonly server: string }
  /** -MOVED: `slot` is at `to` (`HOST:PORT`) now. Applied at once, confirmed by asking. */
  | { readonly kind: 'moved'; readonly slot: number; readonly to: string }
  /** -ASK: `server` is giving a slot to another. */
  | { readonly kind: 'asked'; readonly server: string }
  | { readonly kind: 'clusterdown'; readonly server: string };

export interface Realm {
  readonly name: string;
  /** Whether keys decide: a Redis Cluster. Otherwise `shardOf` ignores its argument. */
  readonly clustered: boolean;
  readonly shards: readonly Shard[];
  /** Why not everything is served; '' when it is. */
  readonly problem: string;
  /** The shard of a hash slot (0–16383; −1 when the command has no key: any). Undefined while no one serves the slot. */
  shardOf(slot: number): Shard | undefined;
  /** A server by `HOST:PORT`, for -ASK. Known or not, it is one of this realm's with its TLS. */
  serverAt(address: string): Server;
  /** Looks again at once. Cheap to call often. */
  doubt(doubt: Doubt): void;
  /** For `/debug`: servers, roles and why, lag, slots, sentinels. */
  describe(): object;
  close(): void;
}

/** Told to whoever uses a realm. Nothing is passed: look at the realm. */
export interface RealmEvents {
  /** Primaries, replicas, their eligibility, or the slot map changed: what is held may be placed now. */
  changed(): void;
  /** A server stopped answering the poller: reads it still owes are better asked elsewhere. */
  silent(server: string): void;
  /**
   * Not believed to be the shard's primary any longer: writes must stop. What it owes is of unknown outcome, unless it has
   * said itself that it is a replica: then it answers (`answers`), and turns away what it has not executed. Told while
   * `Shard.primary` is undefined, before another is offered.
   */
  deposed(server: string, answers: boolean): void;
}
