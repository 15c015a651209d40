/** What the ambassador knows of one client connection: what Redis would keep in its client structure. */

import type { ReadPolicy, Consistency } from '../daemon/config.ts';

/** Why a session has a connection of its own at the moment. */
export type PinReason =
  | 'multi'
  | 'watch'
  | 'blocking'
  | 'wait'
  | 'subscribe'
  | 'monitor'
  | 'tracking'
  | 'sticky'
  | 'large'
  | 'splice';

export const noPins: ReadonlySet<PinReason> = new Set();

/** Which shared connections a session may use: what differs here differs in the connection itself. */
export interface Identity {
  /** Undefined: the configured user of the servers. */
  readonly user: string | undefined;
  /** Of `user`; never shown. */
  readonly password: string | undefined;
  readonly protocol: 2 | 3;
  readonly database: number;
}

/** What it holds in its connection, as CLIENT LIST shows it. */
export interface SessionCounts {
  /** Subscriptions to channels, patterns and shard channels. */
  sub: number;
  psub: number;
  ssub: number;
  /** Commands queued in the open transaction. */
  multi: number;
  /** Keys watched. */
  watch: number;
}

export interface SessionState {
  /** Ours, counted from 1: what CLIENT ID answers. */
  readonly id: number;
  /** `IP:PORT`, or the socket's path with `:0` as Redis writes it. */
  readonly peer: string;
  readonly local: string;
  readonly sinceMs: number;
  identity: Identity;
  /** The name users see in CLIENT LIST: `default` until AUTH. */
  userName: string;
  /** False until AUTH or HELLO AUTH where a password is required: nothing else is answered or sent. */
  authenticated: boolean;
  /** CLIENT SETNAME; '' is none. A suffix `#eventual`, `#session` or `#primary` sets the two fields below. */
  name: string;
  consistency: Consistency | undefined;
  readPolicy: ReadPolicy | undefined;
  libName: string;
  libVer: string;
  /** CLIENT REPLY: `skip` silences the next command only. */
  reply: 'on' | 'off' | 'skip';
  noEvict: boolean;
  noTouch: boolean;
  /** Replaced when it changes: most sessions have none, and no set of their own for that. */
  pins: ReadonlySet<PinReason>;
  /** CLIENT ID of its own connection at the server; 0 while it has none. */
  serverId: number;
  readonly counts: SessionCounts;
  lastMs: number;
  lastCommand: string;
  /** Commands received so far. */
  commands: number;
}
