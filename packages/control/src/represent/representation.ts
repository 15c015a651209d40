/** The forms in which clients may ask for objects: as they are, as rows of a table, as metadata alone. */

import type { Stored } from '../registry/write.ts';

export interface ListMeta {
  readonly resourceVersion: string;
  /** Where the next page begins; empty on the last one. */
  readonly continue: string;
  /** Objects after this page, where that is known. */
  readonly remaining: number | undefined;
}

export interface Representation {
  /** Equal for forms that give equal bytes for equal objects: watchers of the same id share them. */
  readonly id: string;
  one(stored: Stored): Buffer;
  many(items: readonly Stored[], meta: ListMeta): Buffer;
  /** The object of a watch event. `first`: nothing was sent on this watch before. */
  inEvent(stored: Stored, first: boolean): Buffer;
  /** Whether `inEvent` depends on `first`. */
  readonly firstDiffers: boolean;
  /** The object of a bookmark. */
  bookmark(revision: number, annotations?: Readonly<Record<string, string>>): Buffer;
}
