/**
 * What the ambassador answers or decides itself for a client's own session: the joint between those decisions and the
 * session engine that carries them out. Nothing here does IO. State of the session that needs nobody's consent (a name,
 * CLIENT REPLY) is changed at once; what a server must agree to first is changed by `done`. `pins` and `serverId` are the
 * engine's alone.
 */

import type { RespValue } from '@outrigger/core/resp';
import type { Identity, PinReason, SessionState } from '../session/state.ts';

export type LocalAnswer =
  | {
      readonly do: 'reply';
      /** In the session's protocol. Empty when Redis says nothing: CLIENT REPLY OFF and SKIP. */
      readonly bytes: Uint8Array;
      /** Delivered even when the command began muted (mute.ts): CLIENT REPLY ON. */
      readonly loud?: boolean;
    }
  /** The server answers: the session's own connection when it has one, the primary's shared line otherwise. */
  | {
      readonly do: 'forward';
      /** Unless the server refuses, this reason for a connection of its own has ended. */
      readonly unpin?: PinReason;
      /** Applied to the one reply: it names clients by the server's ids. */
      readonly rewrite?: (reply: Uint8Array) => Uint8Array;
    }
  /**
   * `request` instead, to the server where session `session` has its own connection, on a connection that nothing blocks.
   * That session's connection must not be lent to another before this is answered: the server's id in `request` names it.
   */
  | { readonly do: 'aside'; readonly request: Uint8Array; readonly session: number }
  /**
   * A connection of its own from here on, where the client's request goes, or `request` in its place. If the server
   * refuses, `reason` is none. `with`: it must be at the server where that session has its own.
   */
  | { readonly do: 'pin'; readonly reason: PinReason; readonly request?: Uint8Array; readonly with?: number }
  /**
   * A connection of that identity must exist before this is answered. Without one of its own: any shared line of the
   * identity, opened if need be; when the server refuses, its error is the reply and nothing has changed. With one of its
   * own: the client's request goes there and its reply decides. `done` changes the session and gives the reply.
   */
  | {
      readonly do: 'become';
      readonly identity: Identity;
      /** Set by `done`; here for a server that is to show it. */
      readonly name?: string;
      /** Whether `done` reads the greeting: what that server's primary says to HELLO. */
      readonly hello: boolean;
      done(greeting: Greeting): Uint8Array;
    }
  /** The state is as that of a new connection already; pins and the session's own connection go after what is outstanding. */
  | { readonly do: 'reset'; readonly bytes: Uint8Array; readonly loud: boolean }
  /** After what is outstanding and these bytes, the connection ends; what follows in the pipeline is not read. */
  | { readonly do: 'close'; readonly bytes: Uint8Array }
  /** `sessions` end at once, without the replies they wait for. `self`: this one too, after `bytes`; it is not among them. */
  | {
      readonly do: 'kill';
      readonly sessions: readonly number[];
      readonly bytes: Uint8Array;
      readonly self: boolean;
    };

/** What a server said to HELLO: server, version, proto, id, mode, role, modules, in its order. Empty: not asked. */
export interface Greeting {
  readonly hello: ReadonlyMap<string, RespValue>;
}

export interface SessionRegistry {
  /** In the order they came. */
  all(): Iterable<SessionState>;
  byId(id: number): SessionState | undefined;
}

export interface AuthCheck {
  /** Whether a client must say a password before anything else. */
  readonly required: boolean;
  /** `user` undefined: AUTH with a password alone. `ask-server`: whoever the servers let in. */
  check(user: string | undefined, password: string): 'ok' | 'wrong' | 'ask-server';
  /** Whether there is such a user, for CLIENT KILL USER; without it, those that sessions have. */
  knows?(user: string): boolean;
}
