/** The line between deciding and doing: what a session asks of the world, and what it is given. */

import type { CommandTable } from '../commands/commands.ts';
import type { SessionCounters } from '../observe/metrics.ts';
import type { ReadContext, ReadPorts } from './reads.ts';
import type { Replica } from '../topology/topology.ts';

export type Role = 'primary' | 'replica';

/** What a session does to the world. Answers come as calls of the session's `on…` methods, never from within a call. */
export interface SessionPorts extends ReadPorts {
  toClient(bytes: Uint8Array): void;
  /** False: enough for now, `onServerDrained` follows. */
  toServer(role: Role, bytes: Uint8Array): boolean;
  /** Connects; `onServerOpen` or `onServerLost` follows. */
  open(role: Role, replica?: Replica): void;
  close(role: Role): void;
  /** Whether the client is to be read from. */
  readClient(on: boolean): void;
  /** Joins client and primary, beginning with these bytes of the client. No call of the session has an effect any more. */
  splice(first: readonly Uint8Array[]): void;
  /** Closes the client once what was written has left. */
  finish(): void;
  /** Closes the client at once, so that it cannot mistake half an answer for a whole one. */
  abort(why: string): void;
}

/** What sessions share. */
export interface SessionContext extends ReadContext {
  readonly table: CommandTable;
  readonly counters: SessionCounters;
}
