/** CLIENT LIST, INFO and KILL: of the ambassador's own sessions, never of the connections it holds at the servers. */

import type { SessionState } from '../session/state.ts';
import type { AuthCheck, LocalAnswer, SessionRegistry } from './answer.ts';
import { integerArgument, text, word } from './arguments.ts';
import { clientLine } from './client-line.ts';
import { error, integer, ok, verbatim } from './encode.ts';

export function clientInfo(session: SessionState, nowMs: number): LocalAnswer {
  return {
    do: 'reply',
    bytes: verbatim(`${clientLine(session, nowMs, 'client|info')}\n`, session.identity.protocol),
  };
}

/** CLIENT LIST [TYPE t | ID id …]. An id is listed as often as it is asked for. */
export function clientList(
  args: readonly Buffer[],
  session: SessionState,
  registry: SessionRegistry,
  nowMs: number,
): LocalAnswer {
  const chosen = choose(args, registry);
  if (typeof chosen === 'string') return { do: 'reply', bytes: error(chosen) };
  const lines = chosen.map(
    (one) => `${clientLine(one, nowMs, one === session ? 'client|list' : undefined)}\n`,
  );
  return { do: 'reply', bytes: verbatim(lines.join(''), session.identity.protocol) };
}

/** CLIENT KILL addr, or CLIENT KILL with filters, all of which must hold. The old form spares nobody, not even the asker. */
export function clientKill(
  args: readonly Buffer[],
  session: SessionState,
  registry: SessionRegistry,
  nowMs: number,
  auth: AuthCheck,
): LocalAnswer {
  const old = args.length === 3;
  const filters = old ? addressed(text(args[2])) : readFilters(args, registry, nowMs, auth);
  if (typeof filters === 'string') return { do: 'reply', bytes: error(filters) };
  const matching = [...registry.all()].filter((one) => filters.every((holds) => holds(one, session)));
  if (old && matching.length === 0) return { do: 'reply', bytes: error('ERR No such client') };
  return {
    do: 'kill',
    sessions: matching.filter((one) => one !== session).map((one) => one.id),
    bytes: old ? ok() : integer(matching.length),
    self: matching.includes(session),
  };
}

type Filter = (one: SessionState, asker: SessionState) => boolean;

const types: Readonly<Record<string, Filter>> = {
  NORMAL: (one) => !one.pins.has('subscribe'),
  PUBSUB: (one) => one.pins.has('subscribe'),
  // Servers' connections to each other: never ours.
  MASTER: () => false,
  REPLICA: () => false,
  SLAVE: () => false,
};

/** Whom CLIENT LIST is about, or the error. */
function choose(args: readonly Buffer[], registry: SessionRegistry): readonly SessionState[] | string {
  if (args.length === 2) return [...registry.all()];
  const option = word(args[2]);
  if (option === 'TYPE' && args.length === 4) {
    const type = types[word(args[3])];
    if (type === undefined) return `ERR Unknown client type '${text(args[3])}'`;
    return [...registry.all()].filter((one) => type(one, one));
  }
  if (option !== 'ID' || args.length < 4) return 'ERR syntax error';
  const ids = args.slice(3).map(integerArgument);
  if (ids.includes(undefined)) return 'ERR Invalid client ID';
  return ids.flatMap((id) => registry.byId(id as number) ?? []);
}

function addressed(address: string): readonly Filter[] {
  return [(one) => one.peer === address];
}

/** The filters, or the error: the first one from the left, as Redis reads them. */
function readFilters(
  args: readonly Buffer[],
  registry: SessionRegistry,
  nowMs: number,
  auth: AuthCheck,
): readonly Filter[] | string {
  const filters = new Map<string, Filter>([['SKIPME', notTheAsker]]);
  for (let at = 2; at < args.length; at += 2) {
    const option = word(args[at]);
    const filter = at + 1 < args.length ? readFilter(option, args[at + 1], registry, nowMs, auth) : undefined;
    if (filter === undefined) return 'ERR syntax error';
    if (typeof filter === 'string') return filter;
    // The last one of a kind counts.
    filters.set(option, filter);
  }
  return [...filters.values()];
}

function readFilter(
  option: string,
  arg: Buffer | undefined,
  registry: SessionRegistry,
  nowMs: number,
  auth: AuthCheck,
): Filter | string | undefined {
  const value = text(arg);
  switch (option) {
    case 'ID':
      return idFilter(integerArgument(arg));
    case 'TYPE':
      return types[word(arg)] ?? `ERR Unknown client type '${value}'`;
    case 'ADDR':
      return (one) => one.peer === value;
    case 'LADDR':
      return (one) => one.local === value;
    case 'USER':
      if (!known(value, registry, auth)) return `ERR No such user '${value}'`;
      return (one) => one.userName === value;
    case 'SKIPME':
      return { YES: notTheAsker, NO: everyone }[word(arg)];
    case 'MAXAGE':
      return ageFilter(integerArgument(arg), nowMs);
    default:
      return undefined;
  }
}

function notTheAsker(one: SessionState, asker: SessionState): boolean {
  return one !== asker;
}

function everyone(): boolean {
  return true;
}

function idFilter(id: number | undefined): Filter | string {
  if (id === undefined || id < 1) return 'ERR client-id should be greater than 0';
  return (one) => one.id === id;
}

/** Seconds, since Redis 7.4. */
function ageFilter(age: number | undefined, nowMs: number): Filter | string {
  if (age === undefined) return 'ERR maxage is not an integer or out of range';
  if (age < 1) return 'ERR maxage should be greater than 0';
  return (one) => Math.floor((nowMs - one.sinceMs) / 1000) >= age;
}

function known(user: string, registry: SessionRegistry, auth: AuthCheck): boolean {
  if (auth.knows !== undefined) return auth.knows(user);
  return user === 'default' || [...registry.all()].some((one) => one.userName === user);
}
