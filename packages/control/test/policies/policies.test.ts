import { test } from 'tap';
import type { Service, TrafficPolicy } from '@outrigger/core/api';
import { eventually } from '@outrigger/core/testing';
import { judgePolicies } from '../../src/policies/verdict.ts';
import { service, services, startControl } from '../harness.ts';

const policies = '/apis/outrigger.dev/v1alpha1/namespaces/default/trafficpolicies';

function policy(name: string, created: number, ...targetRefs: object[]): TrafficPolicy {
  const metadata = { name, namespace: 'default', creationTimestamp: `2026-01-0${created}T00:00:00Z` };
  return { metadata, spec: { targetRefs } } as unknown as TrafficPolicy;
}

const web = {
  metadata: { name: 'web', namespace: 'default' },
  spec: { ports: [{ name: 'http', port: 80 }] },
};
const world = (...all: TrafficPolicy[]) => {
  const verdicts = judgePolicies({ services: new Map([['default/web', web as Service]]), policies: all });
  return Object.fromEntries(
    [...verdicts].map(([key, { status, reason, message }]) => [
      key.slice(8),
      `${status} ${reason} ${message}`.trim(),
    ]),
  );
};

test('a policy needs its target', (t) => {
  t.same(world(policy('a', 1, { name: 'web' })), { a: 'True Accepted' });
  t.same(world(policy('a', 1, { name: 'web', sectionName: 'http' })), { a: 'True Accepted' });
  t.same(world(policy('a', 1, { name: 'nothing' })), {
    a: 'False TargetNotFound Service nothing does not exist',
  });
  t.same(world(policy('a', 1, { name: 'web', sectionName: 'x' })), {
    a: 'False TargetNotFound port x of Service web does not exist',
  });
  t.same(world(policy('a', 1, { name: 'web' }, { name: 'nothing' })), {
    a: 'True Accepted Service nothing does not exist',
  });
  t.end();
});

test('of two for the same thing the older wins, then the first by name', (t) => {
  const target = { name: 'web' };
  t.same(world(policy('new', 2, target), policy('old', 1, target)), {
    old: 'True Accepted',
    new: 'False Conflicted Service web follows old',
  });
  t.same(world(policy('b', 1, target), policy('a', 1, target)), {
    a: 'True Accepted',
    b: 'False Conflicted Service web follows a',
  });
  t.same(world(policy('all', 1, target), policy('port', 2, { ...target, sectionName: 'http' })), {
    all: 'True Accepted',
    port: 'True Accepted',
  });
  t.end();
});

test('the verdict is written into the policy and follows its Service', async (t) => {
  const control = await startControl(t);
  await control.post(policies, { metadata: { name: 'p' }, spec: { targetRefs: [{ name: 'web' }] } });
  const accepted = async (status: string): Promise<boolean> => {
    const { body } = await control.get(`${policies}/p`);
    const [condition] = (body as TrafficPolicy).status?.conditions ?? [];
    return (
      condition?.type === 'Accepted' && condition.status === status && condition.observedGeneration === 1
    );
  };
  await eventually('there is no Service', () => accepted('False'));
  await control.post(services, service('web'));
  await eventually('there is one', () => accepted('True'));
  await control.request('DELETE', `${services}/web`);
  await eventually('it is gone again', () => accepted('False'));
  t.equal((await control.get(`${policies}/p`)).body.metadata.generation, 1);
});
