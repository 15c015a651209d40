/**
 * What can be counted, as small integers: hot code passes a constant, and the page shows the constant's name. The order
 * within a list means nothing outside this process.
 */

import type { Route } from '../commands/command.ts';

type Value<T> = T[keyof T];

/** Where a command was sent. */
export const Place = { primary: 0, replica: 1, own: 2, local: 3 } as const;
export type Place = Value<typeof Place>;

/** What a command is, in the few words that dashboards split by. */
export const Class = { read: 0, write: 1, other: 2, script: 3, blocking: 4 } as const;
export type Class = Value<typeof Class>;

/** Why a read was let go to a replica: the consistency path. */
export const ReadPath = {
  /** Consistency is eventual: nothing to prove. */
  eventual: 0,
  /** The session has seen nothing yet. */
  first: 1,
  /** The replica gave the last answer itself. */
  home: 2,
  /** The replica has proven what the session has seen. */
  proven: 3,
} as const;
export type ReadPath = Value<typeof ReadPath>;

/** Why a read went to the primary although replicas may be read. */
export const Fallback = {
  /** No replica has yet proven what the session has seen. */
  fence: 0,
  /** There is none that takes reads. */
  noReplica: 1,
  /** All are further behind than maxLag. */
  lag: 2,
  /** The policy, of the instance or of this connection, says so. */
  policy: 3,
  /** Unanswered commands of the session are at the primary, and order forbids another server. */
  order: 4,
  /** A replica was asked, and failed. */
  failed: 5,
  /** Slots of its shard move. */
  moving: 6,
} as const;
export type Fallback = Value<typeof Fallback>;

/** Why a command had to wait before it was sent. */
export const Held = {
  /** Unanswered commands are at another server. */
  order: 0,
  /** A replica was given a moment to prove itself. */
  proof: 1,
  /** A connection was being opened. */
  connect: 2,
  /** A primary was being elected. */
  election: 3,
  /** What is before it is being sent again. */
  repeat: 4,
  /** The server, or the client, does not read fast enough. */
  backpressure: 5,
  /** A limit of the session or of the process. */
  limit: 6,
} as const;
export type Held = Value<typeof Held>;

/** What a server answered instead of executing the command. */
export const Rejection = {
  readonly: 0,
  loading: 1,
  masterdown: 2,
  clusterdown: 3,
  tryagain: 4,
  moved: 5,
  ask: 6,
  noscript: 7,
} as const;
export type Rejection = Value<typeof Rejection>;

/** What a connection to a server was doing when it failed. */
export const Phase = {
  dial: 0,
  tls: 1,
  login: 2,
  /** Open, with or without commands owed. */
  open: 3,
  /** It did not answer in time. */
  silent: 4,
  /** It broke the protocol. */
  breached: 5,
} as const;
export type Phase = Value<typeof Phase>;

/** Why a client connection ended. */
export const Ended = {
  client: 0,
  /** It did not read its replies. */
  slow: 1,
  idle: 2,
  /** CLIENT KILL. */
  killed: 3,
  drained: 4,
  /** It broke the protocol. */
  protocol: 5,
  /** The connection of its own that it depended on was lost. */
  server: 6,
  /** maxBufferedBytes: it held the most. */
  memory: 7,
} as const;
export type Ended = Value<typeof Ended>;

/** Which rule refused a command. */
export const Denied = { command: 0, readOnly: 1, unauthenticated: 2, limit: 3 } as const;
export type Denied = Value<typeof Denied>;

/** Which side bytes came from or went to. */
export const Bytes = { fromClient: 0, toClient: 1, fromServer: 2, toServer: 3 } as const;
export type Bytes = Value<typeof Bytes>;

export function classOf(route: Route): Class {
  switch (route) {
    case 'read':
      return Class.read;
    case 'write':
      return Class.write;
    case 'script':
    case 'scriptRead':
      return Class.script;
    case 'blocking':
    case 'wait':
      return Class.blocking;
    default:
      return Class.other;
  }
}

/** The names of a list of constants, by their numbers. */
export function namesOf(constants: Readonly<Record<string, number>>): readonly string[] {
  const names: string[] = [];
  for (const [name, value] of Object.entries(constants)) names[value] = name;
  return names;
}
