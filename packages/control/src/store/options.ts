/** What every kind of store is opened with. */

import type { Clock } from '@outrigger/core/clock';
import type { StoreLimits } from './limits.ts';
import type { StoreObserver } from './stats.ts';

export interface StoreOptions {
  readonly clock: Clock;
  /** Bounds that differ from the defaults. */
  readonly limits?: Partial<StoreLimits>;
  readonly observer?: StoreObserver;
  /** Identity of a new history. Default: a random UUID. An existing database keeps its own. */
  readonly epoch?: string;
}
