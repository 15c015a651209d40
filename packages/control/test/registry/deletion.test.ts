import { test } from 'tap';
import type { KubernetesObject, ObjectMeta } from '@outrigger/core/api';
import { decideDeletion, isReleased } from '../../src/registry/deletion.ts';

const now = Date.UTC(2026, 0, 1);
const object = (kind: string, metadata: ObjectMeta, rest: object = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name: 'a', ...metadata },
  ...rest,
});
const running = { spec: { nodeName: 'n', terminationGracePeriodSeconds: 7 } };

test('what nothing holds goes at once', (t) => {
  t.same(decideDeletion(object('Service', {}), undefined, now), { type: 'remove' });
  t.same(decideDeletion(object('Pod', {}, { spec: {} }), undefined, now), { type: 'remove' });
  t.same(decideDeletion(object('Pod', {}, { ...running, status: { phase: 'Failed' } }), undefined, now), {
    type: 'remove',
  });
  t.same(decideDeletion(object('Pod', {}, running), 0, now), { type: 'remove' });
  t.end();
});

test('finalizers mark, once', (t) => {
  const held = object('Service', { finalizers: ['a/b'], generation: 3 });
  const verdict = decideDeletion(held, undefined, now);
  t.match(verdict, {
    type: 'mark',
    object: {
      metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 0, generation: 4 },
    },
  });
  const marked = (verdict as { object: KubernetesObject }).object;
  t.same(decideDeletion(marked, undefined, now), { type: 'held' });
  t.notOk(isReleased(marked));
  t.ok(isReleased({ ...marked, metadata: { ...marked.metadata, finalizers: [] } }));
  t.end();
});

test('a running pod gets its grace; it can be shortened, not lengthened', (t) => {
  const verdict = decideDeletion(object('Pod', {}, running), undefined, now);
  t.match(verdict, {
    type: 'mark',
    object: { metadata: { deletionTimestamp: '2026-01-01T00:00:07Z', deletionGracePeriodSeconds: 7 } },
  });
  const ending = (verdict as { object: KubernetesObject }).object;
  t.same(decideDeletion(ending, undefined, now), { type: 'held' });
  t.same(decideDeletion(ending, 30, now), { type: 'held' });
  t.match(decideDeletion(ending, 2, now), {
    type: 'mark',
    object: { metadata: { deletionGracePeriodSeconds: 2 } },
  });
  t.same(decideDeletion(ending, 0, now), { type: 'remove' });
  t.notOk(isReleased(ending), 'its time is not over');
  t.end();
});

test('a namespace is terminating while it has contents', (t) => {
  const namespace = object(
    'Namespace',
    {},
    { spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } },
  );
  const verdict = decideDeletion(namespace, undefined, now);
  t.match(verdict, { type: 'mark', object: { status: { phase: 'Terminating' } } });
  t.end();
});
