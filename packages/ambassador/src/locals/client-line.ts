/**
 * One session as CLIENT LIST and CLIENT INFO show it: the fields of Redis 8 in its order, of which 7.0 has a part. What
 * only a server's connection has (buffers, descriptors, memory, counts of subscriptions and queued commands) is 0.
 */

import type { PinReason, SessionState } from '../session/state.ts';

/** `asking`: the command that session runs right now; its idle time is 0 then. */
export function clientLine(session: SessionState, nowMs: number, asking?: string): string {
  const { identity } = session;
  const idleMs = asking === undefined ? nowMs - session.lastMs : 0;
  const tracking = session.pins.has('tracking');
  const fields: readonly (readonly [string, string | number])[] = [
    ['id', session.id],
    ['addr', session.peer],
    ['laddr', session.local],
    ['fd', 0],
    ['name', session.name],
    ['age', seconds(nowMs - session.sinceMs)],
    ['idle', seconds(idleMs)],
    ['flags', flags(session)],
    ['db', identity.database],
    ['sub', 0],
    ['psub', 0],
    ['ssub', 0],
    ['multi', session.pins.has('multi') ? 0 : -1],
    ...unknown.map((name) => [name, 0] as const),
    ['events', 'r'],
    ['cmd', (asking ?? session.lastCommand).toLowerCase() || 'NULL'],
    ['user', session.userName],
    ['redir', tracking ? 0 : -1],
    ['resp', identity.protocol],
    ['lib-name', session.libName],
    ['lib-ver', session.libVer],
    ['io-thread', 0],
    ['tot-net-in', 0],
    ['tot-net-out', 0],
    ['tot-cmds', session.commands],
  ];
  return fields.map(([name, value]) => `${name}=${value}`).join(' ');
}

const unknown = [
  'watch',
  'qbuf',
  'qbuf-free',
  'argv-mem',
  'multi-mem',
  'rbs',
  'rbp',
  'obl',
  'oll',
  'omem',
  'tot-mem',
];

/** Redis's letters, in the order it writes them. */
const letters: readonly (readonly [PinReason, string])[] = [
  ['monitor', 'O'],
  ['subscribe', 'P'],
  ['multi', 'x'],
  ['blocking', 'b'],
  ['wait', 'b'],
  ['tracking', 't'],
];

function flags(session: SessionState): string {
  const shown = new Set(letters.filter(([pin]) => session.pins.has(pin)).map(([, letter]) => letter));
  if (session.peer.startsWith('/')) shown.add('U');
  if (session.noEvict) shown.add('e');
  if (session.noTouch) shown.add('T');
  return [...shown].join('') || 'N';
}

function seconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000));
}
