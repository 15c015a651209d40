/** The Ready condition when a Lease runs out, and when it is renewed again. */

import type { Pod } from '@outrigger/core/api';
import { test } from 'tap';
import { isMarkedExpired, markExpired, markRenewed } from '../../../src/controllers/lifecycle/status.ts';
import { podObject } from '../lab.ts';

const now = Date.parse('2026-01-01T01:00:00Z');

function ready(pod: Pod | undefined) {
  return pod?.status?.conditions?.find(({ type }) => type === 'Ready');
}

test('a ready pod becomes not ready, from now on', async (t) => {
  const pod = podObject('web-1');
  const marked = markExpired(pod, 12_300, now);
  t.strictSame(ready(marked), {
    type: 'Ready',
    status: 'False',
    reason: 'LeaseExpired',
    message: 'the Lease web-1 has not been renewed for 12 s',
    lastTransitionTime: '2026-01-01T01:00:00Z',
  });
  t.ok(isMarkedExpired(marked));
  t.notOk(isMarkedExpired(pod), 'the argument is untouched');
  t.strictSame(marked.status?.conditions?.length, 2);
  t.equal(marked.status?.podIP, '10.0.0.1');
});

test('one that was not ready before has been so since then', async (t) => {
  const marked = markExpired(podObject('web-1', { ready: false }), 10_000, now);
  t.match(ready(marked), { reason: 'LeaseExpired', lastTransitionTime: '2026-01-01T00:00:00Z' });
});

test('one without a status gets the condition', async (t) => {
  const { status: _status, ...pod } = podObject('web-1');
  t.equal(ready(markExpired(pod, 10_000, now))?.status, 'False');
});

test('renewed, it is as ready as its containers', async (t) => {
  const marked = markExpired(podObject('web-1'), 10_000, now);
  t.strictSame(ready(markRenewed(marked, now + 5_000)), {
    type: 'Ready',
    status: 'True',
    lastTransitionTime: '2026-01-01T01:00:05Z',
  });
  const failing = markExpired(podObject('web-1', { ready: false }), 10_000, now);
  t.strictSame(ready(markRenewed(failing, now + 5_000)), {
    type: 'Ready',
    status: 'False',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  });
});

test('how its containers are is not guessed', async (t) => {
  const pod = markExpired(podObject('web-1'), 10_000, now);
  const conditions = pod.status?.conditions?.filter(({ type }) => type === 'Ready') ?? [];
  t.equal(markRenewed({ ...pod, status: { ...pod.status, conditions } }, now), undefined);
});
