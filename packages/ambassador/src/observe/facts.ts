/** What the engine lets be seen of itself, for gauges and for /debug. Read when somebody looks, never kept. */

import type { AmbassadorLimits } from '../daemon/limits.ts';
import type { Session } from '../session/session.ts';
import type { SessionState } from '../session/state.ts';
import type { Realm, Shard } from '../topology/realm.ts';
import type { Held } from './names.ts';

/** Our connections to one server. */
export interface ConnectionFacts {
  readonly server: string;
  /** Shared by sessions. */
  readonly lines: number;
  /** Lent to one session each. */
  readonly leases: number;
  /** Clean, waiting to be lent again. */
  readonly idle: number;
  /** Commands sent and not yet answered. */
  readonly outstanding: number;
}

/** Where a session's reads of a shard stand. */
export interface ReadFacts {
  readonly shard: string;
  /** The replica it reads from; undefined while it has none. */
  readonly replica: string | undefined;
  /** Rounds that had been sent when its last answer arrived; a replica has to cover a later one. −1: nothing was seen. */
  readonly fence: number;
}

export interface SessionFacts {
  readonly state: SessionState;
  /** Why its next command waits; undefined when none does. */
  readonly held: Held | undefined;
  /** Commands it is owed answers for. */
  readonly outstanding: number;
  /** Commands kept to be sent again, and answers it has not read yet. */
  readonly bufferedBytes: number;
  /** The server its own connection goes to; undefined while it has none. */
  readonly ownServer: string | undefined;
  readonly reads: Iterable<ReadFacts>;
}

export function factsOf(session: Session, reads: Iterable<ReadFacts>): SessionFacts {
  return {
    state: session.state,
    held: session.waiting.reason,
    outstanding: session.ledger.unanswered,
    bufferedBytes: session.bufferedBytes,
    ownServer: session.own.line?.server.name,
    reads,
  };
}

export interface EngineState {
  readonly sessionCount: () => number;
  readonly sessions: () => Iterable<SessionFacts>;
  readonly connections: () => Iterable<ConnectionFacts>;
  readonly realms: () => Iterable<Realm>;
  /** Bytes of commands and answers that wait anywhere. */
  readonly bufferedBytes: () => number;
  readonly limits: () => AmbassadorLimits;
  readonly nowMs: () => number;
}

/** What a server was last heard to say; a shard may know. */
interface Offsets {
  sample?(server: string): { readonly offset: number; readonly replId: string } | undefined;
}

/** Bytes of replication that a replica has not told us to have; undefined when that is not known. */
export function lagBytes(shard: Shard, replica: string): number | undefined {
  const known = shard as Shard & Offsets;
  const ahead = known.sample?.(shard.primary?.name ?? '');
  const behind = known.sample?.(replica);
  if (ahead === undefined || behind === undefined || ahead.replId !== behind.replId) return undefined;
  return Math.max(0, ahead.offset - behind.offset);
}

/** Every shard, with the realm it is of. */
export function* shardsOf(
  realms: Iterable<Realm>,
): Generator<{ readonly realm: Realm; readonly shard: Shard }> {
  for (const realm of realms) for (const shard of realm.shards) yield { realm, shard };
}
