/**
 * What a DELETE means to an object: it may go at once, or be held by finalizers, by a grace period (pods) or by its
 * contents (namespaces). Pure.
 */

import type { KubernetesObject, Namespace, Pod } from '@outrigger/core/api';
import { formatTime } from '@outrigger/core/api';

export type Deletion<T> =
  | { readonly type: 'remove' }
  /** Being deleted from now on: this is its new state. */
  | { readonly type: 'mark'; readonly object: T }
  /** Asked before, and nothing new in it. */
  | { readonly type: 'held' };

/** A pod's grace when neither the request nor the pod says otherwise, in seconds. */
const defaultGraceSeconds = 30;

/** The finalizer that stands for a namespace's contents. */
export const contentsFinalizer = 'kubernetes';

export function decideDeletion<T extends KubernetesObject>(
  object: T,
  graceSeconds: number | undefined,
  nowMs: number,
): Deletion<T> {
  const { metadata } = object;
  const grace = graceFor(object, graceSeconds);
  const asked = metadata.deletionTimestamp !== undefined;
  if (asked && grace >= (metadata.deletionGracePeriodSeconds ?? 0)) {
    return grace === 0 && !isHeld(object) ? { type: 'remove' } : { type: 'held' };
  }
  if (grace === 0 && !isHeld(object)) return { type: 'remove' };
  return { type: 'mark', object: marked(object, grace, nowMs) };
}

/** An object being deleted that nothing holds any more. */
export function isReleased(object: KubernetesObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = object.metadata;
  return deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && !isHeld(object);
}

function isHeld(object: KubernetesObject): boolean {
  if ((object.metadata.finalizers ?? []).length > 0) return true;
  return isNamespace(object) && (object.spec.finalizers ?? []).length > 0;
}

function marked<T extends KubernetesObject>(object: T, grace: number, nowMs: number): T {
  const { generation } = object.metadata;
  const metadata = {
    ...object.metadata,
    deletionTimestamp: formatTime(nowMs + grace * 1000),
    deletionGracePeriodSeconds: grace,
    ...(generation === undefined ? {} : { generation: generation + 1 }),
  };
  if (!isNamespace(object)) return { ...object, metadata };
  return { ...object, metadata, status: { ...object.status, phase: 'Terminating' } };
}

/** Only pods that run somewhere get time to end; a second request can shorten it, never lengthen it. */
function graceFor(object: KubernetesObject, asked: number | undefined): number {
  if (!isPod(object)) return 0;
  const { spec, status, metadata } = object;
  const ended = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  if ((spec.nodeName ?? '') === '' || ended) return 0;
  const given = metadata.deletionGracePeriodSeconds;
  return Math.max(0, asked ?? given ?? spec.terminationGracePeriodSeconds ?? defaultGraceSeconds);
}

function isPod(object: KubernetesObject): object is Pod {
  return object.kind === 'Pod' && object.apiVersion === 'v1';
}

function isNamespace(object: KubernetesObject): object is Namespace {
  return object.kind === 'Namespace' && object.apiVersion === 'v1';
}
