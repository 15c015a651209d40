/** Writes into each TrafficPolicy whether it takes effect. Level-triggered: any change of Services or policies judges all. */

import type { Condition, Service, TrafficPolicy } from '@outrigger/core/api';
import { ApiError, formatTime, serviceKind, trafficPolicyKind } from '@outrigger/core/api';
import type { Clock } from '@outrigger/core/clock';
import { Dirty } from '@outrigger/core/lifecycle';
import type { Logger } from '@outrigger/core/log';
import type { ControllerApi } from '../controllers/api.ts';
import type { Verdict } from './verdict.ts';
import { judgePolicies, keyOf } from './verdict.ts';

/** Least time between two judgements, in ms: a rollout of many Services is judged once. */
const minIntervalMs = 200;

/** Returns what stops it. */
export function startPolicyStatus(
  api: ControllerApi,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): () => void {
  const services = new Map<string, Service>();
  const policies = new Map<string, TrafficPolicy>();
  const dirty = new Dirty({
    clock,
    minIntervalMs,
    run: () => writeVerdicts(api, services, policies, clock.wall()),
    onError: (error) =>
      log.warn('writing the status of a TrafficPolicy failed; it is tried again', { error }),
  });
  const follow = <T extends Service | TrafficPolicy>(objects: Map<string, T>) => ({
    put: (object: T): void => {
      objects.set(keyOf(object), object);
      dirty.mark();
    },
    deleted: (object: T): void => {
      objects.delete(keyOf(object));
      dirty.mark();
    },
  });
  const stops = [
    api.subscribe(serviceKind, follow(services)),
    api.subscribe(trafficPolicyKind, follow(policies)),
  ];
  return () => {
    for (const stop of stops) stop();
    dirty.close();
  };
}

async function writeVerdicts(
  api: ControllerApi,
  services: ReadonlyMap<string, Service>,
  policies: ReadonlyMap<string, TrafficPolicy>,
  nowMs: number,
): Promise<void> {
  if (policies.size === 0) return;
  const verdicts = judgePolicies({ services, policies: policies.values() });
  for (const [key, policy] of [...policies]) {
    const verdict = verdicts.get(key);
    if (verdict === undefined || isTold(policy, verdict)) continue;
    await unlessChanged(api.updateStatus(trafficPolicyKind, withVerdict(policy, verdict, nowMs)));
  }
}

function isTold(policy: TrafficPolicy, { type, status, reason, message }: Verdict): boolean {
  const told = conditionOf(policy, type);
  return (
    told !== undefined &&
    told.status === status &&
    told.reason === reason &&
    told.message === message &&
    told.observedGeneration === policy.metadata.generation
  );
}

/** The time is that of the last change of `status`, not of the words around it. */
function withVerdict(policy: TrafficPolicy, verdict: Verdict, nowMs: number): TrafficPolicy {
  const told = conditionOf(policy, verdict.type);
  const lastTransitionTime = told?.status === verdict.status ? told.lastTransitionTime : formatTime(nowMs);
  const { generation } = policy.metadata;
  const condition: Condition = {
    ...verdict,
    lastTransitionTime,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
  const others = (policy.status?.conditions ?? []).filter(({ type }) => type !== verdict.type);
  return { ...policy, status: { ...policy.status, conditions: [...others, condition] } };
}

function conditionOf(policy: TrafficPolicy, wanted: string): Condition | undefined {
  return policy.status?.conditions?.find(({ type }) => type === wanted);
}

/** Someone was faster: the change that made it so judges again. */
async function unlessChanged(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof ApiError) || (error.httpStatus !== 409 && error.httpStatus !== 404)) throw error;
  }
}
