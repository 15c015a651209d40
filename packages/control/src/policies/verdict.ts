/** Whether a TrafficPolicy takes effect, as the proxies decide it: its targets must exist and no other policy may win. Pure. */

import type { Condition, Service, TargetRef, TrafficPolicy } from '@outrigger/core/api';

export type Verdict = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

export interface PolicyWorld {
  /** By `namespace/name`. */
  readonly services: ReadonlyMap<string, Service>;
  readonly policies: Iterable<TrafficPolicy>;
}

/** The verdict of every policy, by `namespace/name`. */
export function judgePolicies(world: PolicyWorld): Map<string, Verdict> {
  const policies = [...world.policies].toSorted(byAge);
  const winners = new Map<string, TrafficPolicy>();
  for (const policy of policies) {
    for (const target of policy.spec.targetRefs) {
      const key = targetKey(policy, target);
      if (!winners.has(key)) winners.set(key, policy);
    }
  }
  return new Map(policies.map((policy) => [keyOf(policy), judge(policy, world, winners)]));
}

export function keyOf({ metadata }: Service | TrafficPolicy): string {
  return `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}

function judge(
  policy: TrafficPolicy,
  { services }: PolicyWorld,
  winners: ReadonlyMap<string, TrafficPolicy>,
): Verdict {
  const targets = policy.spec.targetRefs;
  const missing = targets.filter((target) => !exists(policy, target, services));
  const lost = targets.filter(
    (target) => !missing.includes(target) && winners.get(targetKey(policy, target)) !== policy,
  );
  const problems = [
    ...missing.map((target) => `${shown(target)} does not exist`),
    ...lost.map(
      (target) => `${shown(target)} follows ${winners.get(targetKey(policy, target))?.metadata.name}`,
    ),
  ];
  const message = problems.join('; ');
  if (missing.length === targets.length) return refused('TargetNotFound', message);
  if (missing.length + lost.length === targets.length) return refused('Conflicted', message);
  return { type: 'Accepted', status: 'True', reason: 'Accepted', message };
}

function refused(reason: string, message: string): Verdict {
  return { type: 'Accepted', status: 'False', reason, message };
}

/** Only policies for the very same thing contend: one for a port and one for its Service do not. */
function targetKey({ metadata }: TrafficPolicy, { name, sectionName = '' }: TargetRef): string {
  return `${metadata.namespace ?? ''}/${name}/${sectionName}`;
}

function exists(
  { metadata }: TrafficPolicy,
  { name, sectionName }: TargetRef,
  services: ReadonlyMap<string, Service>,
): boolean {
  const service = services.get(`${metadata.namespace ?? ''}/${name}`);
  if (service === undefined || sectionName === undefined) return service !== undefined;
  return (service.spec.ports ?? []).some((port) => port.name === sectionName);
}

function shown({ name, sectionName }: TargetRef): string {
  return sectionName === undefined ? `Service ${name}` : `port ${sectionName} of Service ${name}`;
}

/** The oldest first, then by name: Gateway API's rule for policies in conflict. */
function byAge(a: TrafficPolicy, b: TrafficPolicy): number {
  const [left, right] = [a, b].map((policy) => `${policy.metadata.creationTimestamp ?? ''} ${keyOf(policy)}`);
  return (left ?? '') < (right ?? '') ? -1 : 1;
}
