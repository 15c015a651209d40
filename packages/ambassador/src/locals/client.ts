/** CLIENT and its subcommands: which are answered here, which change the session, which the server must answer. */

import { encodeCommand } from '@outrigger/core/resp';
import type { SessionState } from '../session/state.ts';
import type { AuthCheck, LocalAnswer, SessionRegistry } from './answer.ts';
import { word } from './arguments.ts';
import { clientInfo, clientKill, clientList } from './client-list.ts';
import { integer } from './encode.ts';
import { clientReply } from './mute.ts';
import { clientGetName, clientSetInfo, clientSetName } from './names.ts';
import { clientTracking, clientUnblock, trackingQuestion } from './tracking.ts';

/** Arguments a subcommand may have, `CLIENT` and its own name counted. */
const arity: Readonly<Record<string, readonly [least: number, most: number]>> = {
  SETNAME: [3, 3],
  GETNAME: [2, 2],
  ID: [2, 2],
  INFO: [2, 2],
  LIST: [2, Infinity],
  KILL: [3, Infinity],
  SETINFO: [4, 4],
  REPLY: [3, 3],
  'NO-EVICT': [3, 3],
  'NO-TOUCH': [3, 3],
  TRACKING: [3, Infinity],
  TRACKINGINFO: [2, 2],
  GETREDIR: [2, 2],
  CACHING: [3, 3],
  UNBLOCK: [3, 4],
  PAUSE: [3, 4],
  UNPAUSE: [2, 2],
  HELP: [2, 2],
};

/** Whether the server's own words about a wrong count of arguments are wanted: such a request changes nothing anywhere. */
export function clientMisses(args: readonly Buffer[]): boolean {
  const [least, most] = arity[word(args[1])] ?? [2, Infinity];
  return args.length < least || args.length > most;
}

export function client(
  args: readonly Buffer[],
  session: SessionState,
  registry: SessionRegistry,
  nowMs: number,
  auth: AuthCheck,
): LocalAnswer {
  const subcommand = word(args[1]);
  switch (subcommand) {
    case 'SETNAME':
      return clientSetName(args, session);
    case 'GETNAME':
      return clientGetName(session);
    case 'ID':
      return { do: 'reply', bytes: integer(session.id) };
    case 'INFO':
      return clientInfo(session, nowMs);
    case 'LIST':
      return clientList(args, session, registry, nowMs);
    case 'KILL':
      return clientKill(args, session, registry, nowMs, auth);
    case 'SETINFO':
      return clientSetInfo(args, session);
    case 'REPLY':
      return clientReply(args, session);
    case 'NO-EVICT':
    case 'NO-TOUCH':
      return sparing(subcommand, args, session);
    case 'TRACKING':
      return clientTracking(args, session, registry);
    case 'TRACKINGINFO':
    case 'GETREDIR':
      return trackingQuestion(session, registry);
    case 'UNBLOCK':
      return clientUnblock(args, registry);
    // CACHING is refused by the server unless the session tracks, and then it has its own connection.
    case 'CACHING':
    case 'PAUSE':
    case 'HELP':
      return { do: 'forward' };
    // Not behind the writes that wait for it.
    case 'UNPAUSE':
      return { do: 'aside', request: encodeCommand(args), session: session.id };
    default:
      // Newer than we are: it may leave something in its connection, so not in one that others share.
      return { do: 'pin', reason: 'sticky' };
  }
}

/** NO-EVICT, NO-TOUCH: ON holds for the connection; OFF, and what is neither, may go anywhere. */
function sparing(
  subcommand: 'NO-EVICT' | 'NO-TOUCH',
  args: readonly Buffer[],
  session: SessionState,
): LocalAnswer {
  const mode = word(args[2]);
  if (mode !== 'ON' && mode !== 'OFF') return { do: 'forward' };
  const agreed = (): void => {
    session[subcommand === 'NO-EVICT' ? 'noEvict' : 'noTouch'] = mode === 'ON';
  };
  return mode === 'ON' ? { do: 'pin', reason: 'sticky', agreed } : { do: 'forward', agreed };
}

/** A request every server refuses, which makes an open transaction fail as any error while queueing does. */
export const spoiler: Uint8Array = encodeCommand(['CLIENT']);
