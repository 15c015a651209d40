/**
 * HELLO, AUTH and SELECT: the commands that change which connections a session may use. The reply is the server's where it
 * has one to give (an index out of range, a wrong password passed through), ours otherwise.
 *
 * HELLO reads all its options before it does anything, as Redis does since 7.2; 7.0 keeps the name of a SETNAME in front
 * of an AUTH that fails.
 */

import { encodeCommand } from '@outrigger/core/resp';
import type { RespValue } from '@outrigger/core/resp';
import type { Identity, SessionState } from '../session/state.ts';
import type { AuthCheck, Greeting, LocalAnswer } from './answer.ts';
import { integerArgument, showable, text, word } from './arguments.ts';
import { error, map, ok } from './encode.ts';
import { badName, setName } from './names.ts';

/** HELLO [2|3 [AUTH user password] [SETNAME name]]. */
export function hello(args: readonly Buffer[], session: SessionState, auth: AuthCheck): LocalAnswer {
  const wish = readHello(args);
  if (typeof wish === 'string') return { do: 'reply', bytes: error(wish) };
  const login = wish.auth === undefined ? undefined : logIn(wish.auth, session, auth);
  if (login === 'wrong') return { do: 'reply', bytes: error(wrongPassword) };
  if (login === undefined && !session.authenticated) return { do: 'reply', bytes: error(helloFirst) };
  const { name } = wish;
  const identity = {
    ...(login?.identity ?? session.identity),
    protocol: wish.protocol ?? session.identity.protocol,
  };
  return {
    do: 'become',
    identity,
    request: encodeCommand(['HELLO', identity.protocol, ...(login?.words ?? [])]),
    ...(name === undefined ? {} : { name }),
    hello: true,
    done(greeting) {
      login?.done();
      session.identity = identity;
      if (name !== undefined) setName(session, name);
      return introduction(greeting, session);
    },
  };
}

/** AUTH [user] password. */
export function authenticate(args: readonly Buffer[], session: SessionState, auth: AuthCheck): LocalAnswer {
  if (args.length > 3) return { do: 'reply', bytes: error('ERR syntax error') };
  const user = args.length === 3 ? text(args[1]) : undefined;
  const login = logIn({ user, password: text(args.at(-1)) }, session, auth);
  if (login === 'wrong') {
    return { do: 'reply', bytes: error(user === undefined && !auth.required ? noPassword : wrongPassword) };
  }
  return become(session, login.identity, encodeCommand(args), () => login.done());
}

/** SELECT index. What is no number is refused here: no server must be asked on a connection that others share. */
export function select(args: readonly Buffer[], session: SessionState): LocalAnswer {
  const database = integerArgument(args[1]);
  if (database === undefined) {
    return { do: 'reply', bytes: error('ERR value is not an integer or out of range') };
  }
  if (Math.abs(database) >= 2 ** 31) return { do: 'reply', bytes: error(beyondInt) };
  return become(session, { ...session.identity, database }, encodeCommand(args), () => undefined);
}

/** The state of a connection that has just been made; what it was is in CLIENT LIST no more. */
export function forget(session: SessionState, auth: AuthCheck): void {
  session.identity = { user: undefined, password: undefined, protocol: 2, database: 0 };
  session.userName = 'default';
  session.authenticated = !auth.required;
  setName(session, '');
  session.reply = 'on';
  session.noEvict = false;
  session.noTouch = false;
}

const wrongPassword = 'WRONGPASS invalid username-password pair or user is disabled.';
const noPassword =
  'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?';
const beyondInt = 'ERR value is out of range, value must between -2147483648 and 2147483647';
const helloFirst =
  'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time';

interface Credentials {
  /** Undefined: AUTH with a password alone. */
  readonly user: string | undefined;
  readonly password: string;
}

interface Wish {
  readonly protocol: 2 | 3 | undefined;
  readonly auth: Credentials | undefined;
  readonly name: string | undefined;
}

/** The options of HELLO, or its error. */
function readHello(args: readonly Buffer[]): Wish | string {
  const version = args.length > 1 ? integerArgument(args[1]) : 0;
  if (version === undefined) return 'ERR Protocol version is not an integer or out of range';
  if (args.length > 1 && version !== 2 && version !== 3) return 'NOPROTO unsupported protocol version';
  let auth: Credentials | undefined;
  let name: string | undefined;
  for (let at = 2; at < args.length; at++) {
    const option = word(args[at]);
    const more = args.length - 1 - at;
    if (option === 'AUTH' && more >= 2) {
      auth = { user: text(args[at + 1]), password: text(args[at + 2]) };
      at += 2;
    } else if (option === 'SETNAME' && more >= 1) {
      if (!showable(args[at + 1] as Buffer)) return badName;
      name = text(args[at + 1]);
      at++;
    } else {
      return `ERR Syntax error in HELLO option '${text(args[at])}'`;
    }
  }
  return { protocol: version === 2 || version === 3 ? version : undefined, auth, name };
}

interface Login {
  readonly identity: Identity;
  /** For HELLO at the server; nothing when the server is not to know. */
  readonly words: readonly string[];
  done(): void;
}

/** Who the session would be. Users that are checked here share the connections of the configured user. */
function logIn({ user, password }: Credentials, session: SessionState, auth: AuthCheck): 'wrong' | Login {
  const verdict = auth.check(user, password);
  if (verdict === 'wrong') return 'wrong';
  const ours = verdict === 'ok';
  const who = ours ? { user: undefined, password: undefined } : { user, password };
  return {
    identity: { ...session.identity, ...who },
    words: ours ? [] : ['AUTH', user ?? 'default', password],
    done() {
      session.userName = user ?? 'default';
      session.authenticated = true;
    },
  };
}

/** +OK, once a server has agreed to the new identity; at once when it is the old one. */
function become(
  session: SessionState,
  identity: Identity,
  request: Uint8Array,
  agreed: () => void,
): LocalAnswer {
  const done = (): Uint8Array => {
    agreed();
    session.identity = identity;
    return ok();
  };
  const same = (['user', 'password', 'protocol', 'database'] as const).every(
    (field) => identity[field] === session.identity[field],
  );
  return same ? { do: 'reply', bytes: done() } : { do: 'become', identity, request, hello: false, done };
}

/** The server's greeting, with the number this client has here. What a cluster is to it, cluster-view.ts says. */
function introduction(greeting: Greeting, session: SessionState): Uint8Array {
  const { protocol } = session.identity;
  const ours: Readonly<Record<string, RespValue>> = {
    proto: { type: 'integer', value: protocol },
    id: { type: 'integer', value: session.id },
    mode: { type: 'bulk', bytes: Buffer.from('standalone') },
  };
  const entries = [...greeting.hello].map(([field, value]) => {
    const key: RespValue = { type: 'bulk', bytes: Buffer.from(field) };
    return [key, ours[field] ?? (field === 'modules' ? modules(value) : value)] as const;
  });
  return map(entries, protocol);
}

/** Each module is a map, which RESP2 could not say when the greeting was read over it. */
function modules(value: RespValue): RespValue {
  if (value.type !== 'list') return value;
  return {
    type: 'list',
    items: value.items.map((item) => (item.type === 'list' ? paired(item.items) : item)),
  };
}

function paired(items: readonly RespValue[]): RespValue {
  const entries = items.flatMap((key, i) => {
    const value = items[i + 1];
    return i % 2 === 0 && value !== undefined ? [[key, value] as const] : [];
  });
  return { type: 'map', entries };
}
