/** The store in memory: the same sequence, history and watches without a disk. */

import { randomUUID } from 'node:crypto';
import { memoryJournal } from './journal.ts';
import { defaultLimits, withDefaults } from './limits.ts';
import type { StoreLimits } from './limits.ts';
import type { StoreOptions } from './options.ts';
import { SequencedStore } from './sequenced-store.ts';
import { Timeline } from './timeline.ts';

/** History is memory here, so less of it is kept than on disk. */
export const memoryLimits: StoreLimits = { ...defaultLimits, historyBytes: 64 * 1024 * 1024 };

export function openMemoryStore(options: StoreOptions): SequencedStore {
  return new SequencedStore({
    epoch: options.epoch ?? randomUUID(),
    timeline: new Timeline({ hotBytes: Number.POSITIVE_INFINITY }),
    journal: memoryJournal(),
    clock: options.clock,
    limits: withDefaults(memoryLimits, options.limits),
    observer: options.observer,
  });
}
