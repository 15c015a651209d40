/** Which objects a watch or list wants, and what a change means to someone who wants only those. Pure. */

import type { Entry } from '../cache/entry.ts';
import type { CacheEvent } from '../cache/history.ts';

export interface Selection {
  /** Equal for selections that select the same: their watchers share bytes. */
  readonly id: string;
  matches(entry: Entry): boolean;
}

export const everything: Selection = Object.freeze({ id: '', matches: () => true });

export interface Outcome {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly entry: Entry;
}

/**
 * An object that enters the selection is ADDED, one that leaves it is DELETED: with its last state inside the selection
 * and the revision of the change, so that a client can go on from there.
 */
export function outcomeOf(event: CacheEvent, selection: Selection): Outcome | undefined {
  const { entry, previous, revision } = event;
  const before = previous !== undefined && selection.matches(previous);
  if (event.type === 'delete') return before ? { type: 'DELETED', entry } : undefined;
  if (selection.matches(entry)) return { type: before ? 'MODIFIED' : 'ADDED', entry };
  return before ? { type: 'DELETED', entry: { ...previous, revision } } : undefined;
}
