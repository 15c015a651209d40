/**
 * What a watcher is told before it joins the rounds: everything there is, or what happened since its revision. It goes
 * out in pieces at the pace of the reader, and others get a turn between them; meanwhile history grows, so it ends with
 * what happened during the telling.
 */

import { nextTurn } from '@outrigger/core/clock';
import type { Cache } from '../cache/cache.ts';
import type { CacheEvent } from '../cache/history.ts';
import type { Scope } from '../cache/resource-cache.ts';
import { entryLine, frameOf } from './frame.ts';
import { outcomeOf } from './selection.ts';
import type { Watcher } from './watcher.ts';

export interface BeginningParts {
  readonly cache: Cache;
  /** Rounds have delivered, or are delivering, everything up to here: who knows that much can join. */
  target(): number;
  join(watcher: Watcher): void;
  /** History no longer reaches back to the watcher's position, only to `floor`. */
  expire(watcher: Watcher, floor: number): void;
  /** Frames handed to a socket. */
  sent(frames: number): void;
}

/** A piece is about this large, and the next is made only when little of the last is pending. */
const pieceBytes = 64 * 1024;
const piecePending = 256 * 1024;
const eventsPerPiece = 500;

export async function tellBeginning(parts: BeginningParts, watcher: Watcher): Promise<void> {
  const { start } = watcher.spec;
  if (start.type === 'state') await sendState(parts, watcher, start.endMark);
  else watcher.startAt(start.revision);
  await catchUp(parts, watcher);
}

async function sendState(parts: BeginningParts, watcher: Watcher, endMark: boolean): Promise<void> {
  const { resource, scope, selection, represent } = watcher.spec;
  const { revision } = parts.cache;
  const entries = [...parts.cache.of(resource).walk(scope)].filter((entry) => selection.matches(entry));
  for (let next = 0; next < entries.length && !watcher.closed;) {
    if (next > 0) await readerIsReady(watcher);
    const lines: Buffer[] = [];
    for (let size = 0; next < entries.length && size < pieceBytes; next++) {
      const entry = entries[next];
      if (entry === undefined) break;
      const line = entryLine('ADDED', represent, entry, watcher.fresh && lines.length === 0);
      size += line.length;
      lines.push(line);
    }
    watcher.send(frameOf(lines), 0);
    parts.sent(1);
  }
  watcher.startAt(revision);
  if (endMark) watcher.sendBookmark(revision, { 'k8s.io/initial-events-end': 'true' });
}

/** Joining is the last step and follows its check in the same turn, so that no round begins in between. */
async function catchUp(parts: BeginningParts, watcher: Watcher): Promise<void> {
  const { history } = parts.cache.of(watcher.spec.resource);
  while (!watcher.closed) {
    if (watcher.position >= parts.target()) {
      parts.join(watcher);
      return;
    }
    if (history.floor > watcher.position) {
      parts.expire(watcher, history.floor);
      return;
    }
    const events = history.between(watcher.position, parts.target(), eventsPerPiece);
    const whole = events.length < eventsPerPiece;
    sendEvents(parts, watcher, events, whole ? parts.target() : (events.at(-1)?.revision ?? parts.target()));
    if (!whole) await readerIsReady(watcher);
  }
}

function sendEvents(
  parts: BeginningParts,
  watcher: Watcher,
  events: readonly CacheEvent[],
  upTo: number,
): void {
  const { scope, selection, represent } = watcher.spec;
  const lines: Buffer[] = [];
  for (const event of events) {
    const outcome = inScope(scope, event) ? outcomeOf(event, selection) : undefined;
    if (outcome === undefined) continue;
    lines.push(entryLine(outcome.type, represent, outcome.entry, watcher.fresh && lines.length === 0));
  }
  if (lines.length === 0) {
    watcher.position = upTo;
    return;
  }
  watcher.send(frameOf(lines), upTo);
  parts.sent(1);
}

function inScope(scope: Scope, { entry }: CacheEvent): boolean {
  if (scope.namespace !== '' && scope.namespace !== entry.namespace) return false;
  return scope.name === undefined || scope.name === entry.name;
}

async function readerIsReady(watcher: Watcher): Promise<void> {
  await nextTurn();
  if (!watcher.closed && watcher.pendingBytes > piecePending) await watcher.drained();
}
