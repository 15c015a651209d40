/**
 * The pages below /debug: the topology as believed, our connections, and the sessions. Names, addresses and numbers;
 * never a key, a value or a password.
 */

import type { DebugPage } from '@outrigger/core/admin';
import type { EngineState, SessionFacts } from './facts.ts';
import { Held, namesOf } from './names.ts';
import type { SlowLog } from './slow-log.ts';

/** Sessions on one page; the rest is counted. */
export const maxSessionsShown = 1_000;

export interface DebugState extends EngineState {
  readonly slowLog: SlowLog;
  /** Of the configuration, what explains decisions: policies, consistency, bounds. No passwords. */
  readonly settings: () => Readonly<Record<string, unknown>>;
}

/** Path below /debug → page. `sessions?id=7` shows one. */
export function debugPages(state: DebugState): Record<'ambassador' | 'sessions' | 'slowlog', DebugPage> {
  return {
    ambassador: () => ({
      ...state.settings(),
      sessions: state.sessionCount(),
      bufferedBytes: state.bufferedBytes(),
      realms: Array.from(state.realms(), (realm) => realm.describe()),
      connections: Array.from(state.connections()),
    }),
    sessions: (query) => sessionsPage(state, query.get('id')),
    slowlog: () => state.slowLog.page(),
  };
}

function sessionsPage(state: EngineState, id: string | null): Readonly<Record<string, unknown>> {
  const shown: unknown[] = [];
  let more = 0;
  for (const session of state.sessions()) {
    if (id !== null && String(session.state.id) !== id) continue;
    if (shown.length < maxSessionsShown) shown.push(sessionPage(session, state.nowMs()));
    else more++;
  }
  return { total: state.sessionCount(), more, sessions: shown };
}

function sessionPage(session: SessionFacts, nowMs: number): Readonly<Record<string, unknown>> {
  const { state, held } = session;
  return {
    id: state.id,
    name: state.name,
    peer: state.peer,
    user: state.userName,
    ageMs: Math.round(nowMs - state.sinceMs),
    idleMs: Math.round(nowMs - state.lastMs),
    database: state.identity.database,
    protocol: state.identity.protocol,
    library: [state.libName, state.libVer].filter((part) => part !== '').join(' '),
    // Only what the session has changed for itself.
    readPolicy: state.readPolicy ?? null,
    consistency: state.consistency ?? null,
    commands: state.commands,
    lastCommand: state.lastCommand,
    pins: [...state.pins],
    ownServer: session.ownServer ?? null,
    held: held === undefined ? null : (namesOf(Held)[held] ?? null),
    outstanding: session.outstanding,
    bufferedBytes: session.bufferedBytes,
    reads: Array.from(session.reads, ({ shard, replica, fence }) => ({
      shard,
      replica: replica ?? null,
      fence,
    })),
  };
}
