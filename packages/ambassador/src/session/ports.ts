/** The line between deciding and doing: what a session asks of the world, and what sessions share. */

import type { Random, Timer } from '@outrigger/core/clock';
import type { Logger } from '@outrigger/core/log';
import type { Command } from '../commands/command.ts';
import type { LiveCommands } from '../commands/live.ts';
import type { CommandTable } from '../commands/table.ts';
import type { Consistency, ReadPolicy } from '../daemon/config.ts';
import type { AmbassadorLimits } from '../daemon/limits.ts';
import type { AuthCheck, SessionRegistry } from '../locals/answer.ts';
import type { ScriptBook } from '../locals/scripts.ts';
import type { AnswerWatch } from '../observe/answers.ts';
import type { EngineCounters } from '../observe/counters.ts';
import type { Realm, Shard } from '../topology/realm.ts';
import type { ReadBuffers } from '../upstream/read-buffers.ts';
import type { Server } from '../upstream/server.ts';
import type { Servers } from '../upstream/servers.ts';
import type { WriteAcks } from './acks.ts';
import type { Budget } from './budget.ts';
import type { Heavy } from './heavy.ts';
import type { SessionState } from './state.ts';

/** What a session does to its client. Answers come as calls of the session's `on…` methods, never from within a call. */
export interface SessionPorts {
  toClient(bytes: Uint8Array): void;
  /** Of what the client has sent: nobody needs these bytes any more, they may be overwritten. */
  released(bytes: Uint8Array): void;
  /** Bytes of answers the client has not taken yet. */
  readonly backlog: number;
  /** Whether the client is to be read from. */
  readClient(on: boolean): void;
  /** Closes the client once what was written has left. */
  finish(): void;
  /** Closes the client at once, so that it cannot mistake half an answer for a whole one. */
  abort(why: string): void;
  /** Calls `onWake` later. */
  wakeAfter(delayMs: number): Timer;
  /** Something held may move when a realm changes: whether to call `onRealmChanged`. */
  watchRealm(on: boolean): void;
  now(): number;
}

/** How one instance, or one of its key prefixes, reads. */
export interface Policy {
  readonly readPolicy: ReadPolicy;
  readonly consistency: Consistency;
}

/** Where requests with a certain key go. */
export interface Routes {
  /** The realm of a key; undefined key: of commands without one. */
  realmOf(key: Uint8Array | undefined): Realm;
  readonly all: readonly Realm[];
  /** More than one realm: keys have to be looked at. */
  readonly several: boolean;
  policyOf(shard: Shard): Policy;
}

/** What sessions share. */
export interface SessionContext {
  readonly table: CommandTable;
  readonly live: LiveCommands;
  readonly budget: Budget;
  /** Those with large answers. */
  readonly heavy: Set<Heavy>;
  readonly routes: () => Routes;
  readonly servers: Servers;
  readonly buffers: ReadBuffers;
  readonly limits: AmbassadorLimits;
  readonly counters: EngineCounters;
  /** The slow log, and spans. */
  readonly watch: AnswerWatch;
  readonly registry: SessionRegistry;
  readonly auth: () => AuthCheck;
  readonly scripts: ScriptBook;
  readonly random: Random;
  readonly log: Logger;
  readonly writeAcks: () => WriteAcks;
  /** How long a command waits for a primary; 0 where nobody can elect one. */
  readonly failoverWaitMs: () => number;
  /** Whether MSET over several slots is split, though it is not one moment then. */
  readonly allowNonAtomicMset: () => boolean;
  /** Why a rule forbids this session the command, as the error to answer; undefined when it may. */
  readonly refusal: (command: Command, session: SessionState, typed?: string) => string | undefined;
  /** Whether bytes of this session may pass that nobody here has looked at: it is logged in, and no rule concerns it. */
  readonly mayPassUnseen: (session: SessionState) => boolean;
  /** The connection of that session's own must not serve another after it. The server it leads to; undefined: none. */
  readonly keepFromReuse: (session: number) => Server | undefined;
  /** CLIENT KILL. */
  readonly kill: (sessions: readonly number[]) => void;
}
