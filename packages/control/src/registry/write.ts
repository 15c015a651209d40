/** A write on its way through admission, and what comes of it. */

import type { KubernetesObject } from '@outrigger/core/api';
import type { Compare, Operation } from '../store/store.ts';
import type { Resource } from './resource.ts';

/** `status` changes status alone; `finalize` the finalizers of a namespace. */
export type Subresource = '' | 'status' | 'finalize';

/** Gates change `object` (defaults, allocations) and add to `compare` and `operations`, which become one transaction. */
export interface Write {
  readonly operation: 'create' | 'update' | 'delete';
  readonly resource: Resource;
  readonly subresource: Subresource;
  /** The state to be; for a deletion the last one. */
  readonly object: KubernetesObject;
  /** The state that is; undefined on create. */
  readonly old: KubernetesObject | undefined;
  /** Admission must decide as for a true write, and leave nothing behind. */
  readonly dryRun: boolean;
  readonly compare: Compare[];
  readonly operations: Operation[];
}

/** Stored bytes and the revision they have; a dry run of a creation has revision 0. */
export interface Stored {
  readonly value: Uint8Array;
  readonly revision: number;
}

export interface Written extends Stored {
  readonly created: boolean;
}

export interface Deleted extends Stored {
  /** False while finalizers, a grace period or a namespace's contents hold the object. */
  readonly gone: boolean;
  readonly name: string;
  readonly uid: string | undefined;
}

export interface DeleteOptions {
  readonly dryRun: boolean;
  readonly gracePeriodSeconds: number | undefined;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
}
