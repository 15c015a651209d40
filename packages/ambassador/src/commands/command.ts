/** What is known of one command: how it is routed, where its keys are, and where that knowledge comes from. */

import type { KeySpec } from './keys.ts';

/** How a command is handled. Exactly one reply comes back from every route, except where noted. */
export type Route =
  /** A plain read: a replica may answer it. */
  | 'read'
  /** Changes data: the primary. */
  | 'write'
  /** Changes nothing, yet only the primary's answer is right. */
  | 'primary'
  /** A cursor: every page of one scan must come from the same node. The primary. */
  | 'cursor'
  /** May run long and may write: the primary's script line, so that it holds up scripts only. */
  | 'script'
  /** A script that cannot write: as `script`, yet a replica may run it. */
  | 'scriptRead'
  /** Must not queue behind what is running (SCRIPT KILL, FUNCTION KILL, CLIENT UNBLOCK): a connection of its own. */
  | 'aside'
  /** May hold its connection for long: a connection of its own until it is answered. */
  | 'blocking'
  /** WAIT, WAITAOF: as `blocking`, and the connection must know the session's writes. */
  | 'wait'
  /** Opens, closes or prepares a transaction: a connection of its own from the first MULTI or WATCH on. */
  | 'multi'
  | 'exec'
  | 'discard'
  | 'watch'
  | 'unwatch'
  /** The reply count is not one (SUBSCRIBE, UNSUBSCRIBE and kin): a connection of its own, its bytes passed on untouched. */
  | 'subscribe'
  /** As `subscribe`, until RESET: MONITOR. */
  | 'monitor'
  /** A connection of its own for good, spliced: SYNC, PSYNC, REPLCONF, what nobody knows how to count. */
  | 'splice'
  /** Leaves state in its connection that only RESET or the end of it removes: a connection of its own until then. */
  | 'sticky'
  /** Answered from what the ambassador knows of the session (HELLO, AUTH, SELECT, QUIT, RESET, CLIENT …). */
  | 'local';

export interface Command {
  /** Dense, stable for the life of the process: an index into cells. */
  readonly index: number;
  /** Upper case; `CLIENT|SETNAME` for a subcommand. */
  readonly name: string;
  readonly route: Route;
  /** Has the flag WRITE, or may be one in doubt: never sent twice once it has left, unless it was rejected. */
  readonly mutates: boolean;
  /** Undefined: no keys. */
  readonly keys: KeySpec | undefined;
  /** Why it is routed like this, for `why` and the documentation: flags, or the reason of an override. */
  readonly why: string;
  /** Which server's COMMAND the row was read from: `redis 7.0.15`; `override`; `asked` for what the live server told. */
  readonly origin: string;
  /** Present when arguments decide: the whole request is needed to name the command it amounts to. */
  readonly examine: ((args: readonly Buffer[]) => Command) | undefined;
}
