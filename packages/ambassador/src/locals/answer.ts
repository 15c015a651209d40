/**
 * What the ambassador answers or decides itself for a client's own session: the joint between those decisions and the
 * session engine that carries them out. Nothing here does IO. State of the session that needs nobody's consent (a name,
 * CLIENT REPLY) is changed at once; what a server must agree to first is changed by `done`. `pins` and `serverId` are the
 * engine's alone.
 */

import { encodeError } from '@outrigger/core/resp';
import type { RespValue } from '@outrigger/core/resp';
import type { Identity, PinReason, SessionState } from '../session/state.ts';
import { word } from './arguments.ts';
import { client, clientMisses, spoiler } from './client.ts';
import { error, ok, status } from './encode.ts';
import { authenticate, forget, hello, select } from './identity.ts';

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
      /** In place of the client's. */
      readonly request?: Uint8Array;
      /** Unless the server refuses, this reason for a connection of its own has ended. */
      readonly unpin?: PinReason;
      /** Applied to the one reply: it names clients by the server's ids, or is refused in our words. */
      readonly rewrite?: (reply: Uint8Array) => Uint8Array;
      /** Called once the server has not refused; what is queued in a transaction, once EXEC has not been. */
      readonly agreed?: () => void;
    }
  /**
   * `request` instead, to the server where session `session` has its own connection, on a connection that nothing blocks.
   * That session's connection must not be lent to another before this is answered: the server's id in `request` names it.
   */
  | { readonly do: 'aside'; readonly request: Uint8Array; readonly session: number }
  /**
   * A connection of its own from here on, where the client's request goes, or `request` in its place. If the server
   * refuses, `reason` is none; otherwise `agreed` is called. `with`: it must be at the server where that session has its own.
   */
  | {
      readonly do: 'pin';
      readonly reason: PinReason;
      readonly request?: Uint8Array;
      readonly with?: number;
      readonly agreed?: () => void;
    }
  /**
   * A connection of that identity must exist before this is answered: without one of its own, any shared line of the
   * identity, opened if need be; the session's own one becomes it by `request`. When the server refuses, its error is the
   * reply and nothing has changed; otherwise `done` changes the session and gives the reply. `user` undefined with a
   * password is AUTH with the password alone, whose errors differ.
   */
  | {
      readonly do: 'become';
      readonly identity: Identity;
      /** For a connection of its own: HELLO, AUTH or SELECT without what only the ambassador knows the meaning of. */
      readonly request: Uint8Array;
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

/**
 * Decides one whole request whose route is `local`. To be called in the session's order, when nothing that is outstanding
 * can change its pins any more: an UNSUBSCRIBE on its way would make an answer of the moment wrong.
 */
export function answerLocally(
  args: readonly Buffer[],
  session: SessionState,
  registry: SessionRegistry,
  nowMs: number,
  auth: AuthCheck,
): LocalAnswer {
  const name = word(args[0]);
  if (misses(name, args)) return missed(name, session);
  if (name === 'QUIT') return { do: 'close', bytes: ok() };
  if (name === 'RESET') return reset(session, auth);
  const refusal = refused(name, args, session);
  if (refusal !== undefined) return refusal;
  switch (name) {
    case 'HELLO':
      return hello(args, session, auth);
    case 'AUTH':
      return authenticate(args, session, auth);
    case 'SELECT':
      return select(args, session);
    case 'CLIENT':
      return client(args, session, registry, nowMs, auth);
    case 'READONLY':
    case 'READWRITE':
    case 'ASKING':
      // Also before a cluster: to the client this is none, and the flag would stay in a connection that others share.
      return { do: 'reply', bytes: error('ERR This instance has cluster support disabled') };
    default:
      return { do: 'forward' };
  }
}

/** Arguments a command may have, its name counted. */
const arity: Readonly<Record<string, readonly [least: number, most: number]>> = {
  AUTH: [2, Infinity],
  SELECT: [2, 2],
  RESET: [1, 1],
  CLIENT: [2, Infinity],
  READONLY: [1, 1],
  READWRITE: [1, 1],
  ASKING: [1, 1],
};

function misses(name: string, args: readonly Buffer[]): boolean {
  const [least, most] = arity[name] ?? [1, Infinity];
  return args.length < least || args.length > most || (name === 'CLIENT' && clientMisses(args));
}

/** A wrong count of arguments is refused by every server in its own words; no stranger's request is sent for them. */
function missed(name: string, session: SessionState): LocalAnswer {
  if (session.authenticated) return { do: 'forward' };
  return {
    do: 'reply',
    bytes: error(`ERR wrong number of arguments for '${name.toLowerCase()}' command`),
  };
}

function reset(session: SessionState, auth: AuthCheck): LocalAnswer {
  // RESET lifts OFF before it answers; a SKIP in front of it still takes its answer.
  const loud = session.reply === 'off';
  forget(session, auth);
  return { do: 'reset', bytes: status('RESET'), loud };
}

/** Why this cannot be done now, whatever it is: in the order in which Redis looks. */
function refused(name: string, args: readonly Buffer[], session: SessionState): LocalAnswer | undefined {
  const opens = name === 'HELLO' || name === 'AUTH';
  if (!session.authenticated && !opens) {
    return { do: 'reply', bytes: error('NOAUTH Authentication required.') };
  }
  const whole = name === 'CLIENT' ? `CLIENT|${word(args[1])}` : name;
  if (session.pins.has('subscribe') && session.identity.protocol === 2) {
    return { do: 'reply', bytes: error(onlyPubSub(whole)) };
  }
  return session.pins.has('multi') ? queued(whole, args, session) : undefined;
}

function onlyPubSub(name: string): string {
  return `ERR Can't execute '${name.toLowerCase()}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`;
}

/**
 * Within MULTI the server would do it, with its own ids, to connections that are not the client's, or leave in the
 * connection what nobody takes back. So only what has its meaning there is queued; the rest fails the transaction.
 */
function queued(name: string, args: readonly Buffer[], session: SessionState): LocalAnswer {
  if (name === 'SELECT') return { do: 'forward', agreed: () => void selected(args, session) };
  if (queueable.has(name)) return { do: 'forward' };
  const text = `OUTRIGGER not in a transaction: ${name.replace('|', ' ')} cannot be queued; send it before MULTI`;
  return { do: 'forward', request: spoiler, rewrite: () => encodeError(text) };
}

const queueable: ReadonlySet<string> = new Set([
  'CLIENT|CACHING',
  'CLIENT|PAUSE',
  'CLIENT|UNPAUSE',
  'CLIENT|HELP',
]);

/** An index that turns out to be out of range is believed all the same: every later command fails with the server's error. */
function selected(args: readonly Buffer[], session: SessionState): void {
  const answer = select(args, session);
  if (answer.do === 'become') answer.done({ hello: new Map() });
}
