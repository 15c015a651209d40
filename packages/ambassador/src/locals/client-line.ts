/**
 * One session as CLIENT LIST and CLIENT INFO show it: the fields of Redis 8 in its order, of which 7.0 has a part. What
 * only a server's connection has (buffers, descriptors, memory) is 0.
 */

import type { PinReason, SessionState } from '../session/state.ts';

/**
 * `asking`: the command that session runs right now; its idle time is 0 then. One template rather than a list of fields:
 * CLIENT LIST of 10,000 sessions holds up everyone for as long as it takes.
 */
export function clientLine(session: SessionState, nowMs: number, asking?: string): string {
  const { identity, pins, counts } = session;
  const idle = asking === undefined ? seconds(nowMs - session.lastMs) : 0;
  const command = (asking ?? session.lastCommand).toLowerCase() || 'NULL';
  return (
    `id=${session.id} addr=${session.peer} laddr=${session.local} fd=0 name=${session.name}` +
    ` age=${seconds(nowMs - session.sinceMs)} idle=${idle} flags=${flags(session)} db=${identity.database}` +
    ` sub=${counts.sub} psub=${counts.psub} ssub=${counts.ssub} multi=${pins.has('multi') ? counts.multi : -1}` +
    ` watch=${counts.watch} qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0` +
    ` rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=0 events=r cmd=${command} user=${session.userName}` +
    ` redir=${pins.has('tracking') ? 0 : -1} resp=${identity.protocol}` +
    ` lib-name=${session.libName} lib-ver=${session.libVer}` +
    ` io-thread=0 tot-net-in=0 tot-net-out=0 tot-cmds=${session.commands}`
  );
}

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
  let shown = '';
  if (session.pins.size > 0) {
    const pinned = letters.filter(([pin]) => session.pins.has(pin)).map(([, letter]) => letter);
    shown = [...new Set(pinned)].join('');
  }
  if (session.peer.startsWith('/')) shown += 'U';
  if (session.noEvict) shown += 'e';
  if (session.noTouch) shown += 'T';
  return shown || 'N';
}

function seconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000));
}
