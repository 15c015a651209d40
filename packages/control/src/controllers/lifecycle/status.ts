/** The Ready condition of a pod whose Lease ran out, and back. Pure. */

import type { Pod, PodCondition } from '@outrigger/core/api';
import { formatTime } from '@outrigger/core/api';
import { leaseExpiredReason } from '../names.ts';

export function isMarkedExpired(pod: Pod): boolean {
  return readyOf(pod)?.reason === leaseExpiredReason;
}

/** Not ready, because nothing has been heard from whoever runs it. */
export function markExpired(pod: Pod, silentMs: number, wallMs: number): Pod {
  const seconds = Math.round(silentMs / 1_000);
  return withReady(pod, wallMs, {
    type: 'Ready',
    status: 'False',
    reason: leaseExpiredReason,
    message: `the Lease ${pod.metadata.name ?? ''} has not been renewed for ${seconds} s`,
  });
}

/**
 * As ready as its containers are, because it was heard again. Undefined where the pod does not say how its containers
 * are: then only whoever runs it can tell.
 */
export function markRenewed(pod: Pod, wallMs: number): Pod | undefined {
  const containers = pod.status?.conditions?.find(({ type }) => type === 'ContainersReady');
  if (containers === undefined) return undefined;
  return withReady(pod, wallMs, { type: 'Ready', status: containers.status });
}

function readyOf({ status }: Pod): PodCondition | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready');
}

/** The time of the last transition is that of the last change of status, not of reason. */
function withReady(pod: Pod, wallMs: number, condition: PodCondition): Pod {
  const before = readyOf(pod);
  const lastTransitionTime =
    before?.status === condition.status && before.lastTransitionTime !== undefined
      ? before.lastTransitionTime
      : formatTime(wallMs);
  const ready: PodCondition = { ...condition, lastTransitionTime };
  const conditions = pod.status?.conditions ?? [];
  return {
    ...pod,
    status: {
      ...pod.status,
      conditions:
        before === undefined
          ? [...conditions, ready]
          : conditions.map((entry) => (entry === before ? ready : entry)),
    },
  };
}
