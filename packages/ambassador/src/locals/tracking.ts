/**
 * CLIENT TRACKING and what goes with it. A tracking session has a connection of its own, which the server pushes
 * invalidations to; clients name each other by our ids, so a REDIRECT is translated to the id the server knows.
 */

import { decodeReply, encodeCommand, encodeReply } from '@outrigger/core/resp';
import type { RespValue } from '@outrigger/core/resp';
import type { SessionState } from '../session/state.ts';
import type { LocalAnswer, SessionRegistry } from './answer.ts';
import { integerArgument, word } from './arguments.ts';
import { error } from './encode.ts';

/** CLIENT TRACKING ON|OFF …: the server judges everything but the id of REDIRECT. */
export function clientTracking(
  args: readonly Buffer[],
  session: SessionState,
  registry: SessionRegistry,
): LocalAnswer {
  const at = redirectAt(args);
  const redirect = at === undefined ? undefined : translate(args, at, session, registry);
  if (redirect !== undefined && 'do' in redirect) return redirect;
  const request = redirect === undefined ? {} : { request: redirect.request };
  switch (word(args[2])) {
    case 'ON':
      return {
        do: 'pin',
        reason: 'tracking',
        ...request,
        ...(redirect === undefined ? {} : { with: redirect.session }),
      };
    case 'OFF':
      return { do: 'forward', unpin: 'tracking', ...request };
    default:
      return { do: 'forward', ...request };
  }
}

/** GETREDIR and TRACKINGINFO: the server knows, and says it with its own ids. */
export function trackingQuestion(session: SessionState, registry: SessionRegistry): LocalAnswer {
  if (!session.pins.has('tracking')) return { do: 'forward' };
  return {
    do: 'forward',
    rewrite: (reply) => encodeReply(withOurId(decodeReply(reply), registry)),
  };
}

/** CLIENT UNBLOCK id [TIMEOUT|ERROR]. */
export function clientUnblock(args: readonly Buffer[], registry: SessionRegistry): LocalAnswer {
  const reason = args[3];
  if (reason !== undefined && word(reason) !== 'TIMEOUT' && word(reason) !== 'ERROR') {
    return { do: 'reply', bytes: error('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR') };
  }
  const id = integerArgument(args[2]);
  if (id === undefined) return { do: 'reply', bytes: error(notAnInteger) };
  const blocked = registry.byId(id);
  const waits = blocked !== undefined && (blocked.pins.has('blocking') || blocked.pins.has('wait'));
  if (!waits || blocked.serverId === 0) return { do: 'reply', bytes: Buffer.from(':0\r\n') };
  const request = encodeCommand([...args.slice(0, 2), blocked.serverId, ...args.slice(3)]);
  return { do: 'aside', request, session: id };
}

const notAnInteger = 'ERR value is not an integer or out of range';

/** Where REDIRECT's id is. Nothing behind an option Redis would stop at counts. */
function redirectAt(args: readonly Buffer[]): number | undefined {
  for (let at = 3; at < args.length; at++) {
    const option = word(args[at]);
    const hasValue = at + 1 < args.length;
    if (option === 'REDIRECT' && hasValue) return at + 1;
    if (option === 'PREFIX' && hasValue) at++;
    else if (!['BCAST', 'OPTIN', 'OPTOUT', 'NOLOOP'].includes(option)) return undefined;
  }
  return undefined;
}

function translate(
  args: readonly Buffer[],
  at: number,
  session: SessionState,
  registry: SessionRegistry,
): LocalAnswer | { readonly request: Uint8Array; readonly session: number } {
  const id = integerArgument(args[at]);
  if (id === undefined) return { do: 'reply', bytes: error(notAnInteger) };
  const target = registry.byId(id);
  if (target === undefined) {
    return { do: 'reply', bytes: error('ERR The client ID you want redirect to does not exist') };
  }
  if (target.serverId === 0) return { do: 'reply', bytes: error(unreachable(id, target === session)) };
  return { request: encodeCommand(args.map((arg, i) => (i === at ? target.serverId : arg))), session: id };
}

/** Only a connection of one client alone can be pushed to, and a subscription gives it one. */
function unreachable(id: number, itself: boolean): string {
  const who = itself ? 'this client' : `client ${id}`;
  return `OUTRIGGER no redirect: ${who} has no connection of its own yet; let it SUBSCRIBE __redis__:invalidate first`;
}

/** An integer reply, or the value behind `redirect` in a map or a list of pairs. */
function withOurId(value: RespValue, registry: SessionRegistry): RespValue {
  switch (value.type) {
    case 'integer':
      return { type: 'integer', value: ourId(Number(value.value), registry) };
    case 'map':
      return {
        type: 'map',
        entries: value.entries.map(([key, item]) => [
          key,
          isRedirect(key) ? withOurId(item, registry) : item,
        ]),
      };
    case 'list':
      return {
        type: 'list',
        items: value.items.map((item, i) =>
          i % 2 === 1 && isRedirect(value.items[i - 1]) ? withOurId(item, registry) : item,
        ),
      };
    default:
      return value;
  }
}

function isRedirect(key: RespValue | undefined): boolean {
  return key?.type === 'bulk' && key.bytes.toString() === 'redirect';
}

/** 0 and -1 say that there is none, and an id that none of ours has is of one that has gone. */
function ourId(serverId: number, registry: SessionRegistry): number {
  if (serverId < 1) return serverId;
  return [...registry.all()].find((one) => one.serverId === serverId)?.id ?? serverId;
}
