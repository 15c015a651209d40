import { eventually } from '@outrigger/core/testing';
import { test } from 'tap';
import { startControl } from '../harness.ts';

const policies = '/apis/outrigger.dev/v1alpha1/namespaces/default/trafficpolicies';
const mergePatch = { 'content-type': 'application/merge-patch+json' };

test('leaving out what is the default anyway is no change: revision and generation stay', async (t) => {
  const control = await startControl(t);
  const spec = { targetRefs: [{ name: 'web' }] };
  t.equal((await control.post(policies, { metadata: { name: 'web' }, spec })).status, 201);
  // The controller's word on it is a write of its own.
  const before = await eventually('accepted or not', async () => {
    const { body } = await control.get(`${policies}/web`);
    return body.status === undefined ? undefined : body;
  });
  const again = await control.request('PATCH', `${policies}/web`, { spec }, mergePatch);
  t.equal(again.status, 200);
  t.match(again.body.metadata, { generation: 1, resourceVersion: before.metadata.resourceVersion });
  const changed = await control.request(
    'PATCH',
    `${policies}/web`,
    { spec: { balancing: 'roundRobin' } },
    mergePatch,
  );
  t.equal(changed.body.metadata.generation, 2);
  t.not(changed.body.metadata.resourceVersion, before.metadata.resourceVersion);
});
