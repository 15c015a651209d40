/** The end of pods by their Leases, on a clock that tests move: expiry, return, removal, holds and restarts. */

import { leaseKind, podKind, serviceKind } from '@outrigger/core/api';
import { test } from 'tap';
import { ipAt, Lab, serviceObject, setConditions } from './lab.ts';

const options = { controllers: { removeAfterMs: 60_000, holdMs: 90_000 } };

const services = [
  ['in the fake service', false],
  ['in the true service', true],
] as const;

/** `count` registered pods `web-0` … of Service `web`, Leases of ten seconds; more pods of another Service as company. */
async function mesh(count: number, others = 0, service = false): Promise<Lab> {
  const lab = await Lab.started({ ...options, service });
  await lab.service('web');
  await lab.service('other');
  for (let i = 0; i < count; i += 1) await lab.pod(`web-${i}`, { ip: ipAt(i), node: 'node-a', lease: 10 });
  for (let i = 0; i < others; i += 1) await lab.pod(`other-${i}`, { ip: ipAt(1_000 + i), lease: 10 });
  await lab.advance(1);
  return lab;
}

function names(prefix: string, from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `${prefix}-${from + i}`);
}

for (const [name, service] of services) {
  test(`a pod whose Lease runs out is not ready, then removed, its Lease with it, ${name}`, async (t) => {
    const lab = await mesh(3, 0, service);
    await lab.live(8, 'web-0', 'web-1');
    t.equal(lab.readyOf('web').length, 3, 'not before its time');
    await lab.live(3, 'web-0', 'web-1');
    t.strictSame(lab.readyCondition('web-2'), { status: 'False', reason: 'LeaseExpired' });
    t.strictSame(lab.readyOf('web'), [ipAt(0), ipAt(1)]);
    t.match(lab.endpointsOf('web'), { length: 3 }, 'it is still there, as not ready');
    await lab.live(56, 'web-0', 'web-1');
    t.ok(lab.find(podKind, 'web-2'));
    await lab.live(4, 'web-0', 'web-1');
    t.equal(lab.find(podKind, 'web-2'), undefined);
    t.equal(lab.find(leaseKind, 'web-2'), undefined, 'garbage collection took the Lease');
    t.equal(lab.endpointsOf('web').length, 2);
    t.ok(lab.events().includes('LeaseExpired Pod/web-2'));
    t.ok(lab.events().includes('PodRemoved Pod/web-2'));
    t.equal(await lab.metric('outrigger_controller_leases_expired_total'), 1);
    t.equal(await lab.metric('outrigger_controller_pods_removed_total'), 1);
    await lab.close();
  });
}

for (const [name, service] of services) {
  test(`a Lease that is renewed again brings its pod back, as ready as its containers are, ${name}`, async (t) => {
    const lab = await mesh(4, 0, service);
    await lab.live(12, 'web-0', 'web-1', 'web-2');
    t.strictSame(lab.readyCondition('web-3'), { status: 'False', reason: 'LeaseExpired' });
    await lab.renew('web-3');
    await lab.live(2, 'web-0', 'web-1', 'web-2');
    t.match(lab.readyCondition('web-3'), { status: 'True' });
    t.equal(lab.readyOf('web').length, 4);
    t.equal(await lab.metric('outrigger_controller_leases_returned_total'), 1);
    await lab.live(12, 'web-0', 'web-1', 'web-2');
    await lab.change(podKind, 'web-3', (pod) => setConditions(pod, ['ContainersReady'], 'False'));
    await lab.renew('web-3');
    await lab.live(2, 'web-0', 'web-1', 'web-2');
    t.match(
      lab.readyCondition('web-3'),
      { status: 'False', reason: undefined },
      'its probe fails, and that is the reason now',
    );
    await lab.close();
  });
}

test('only renewals seen here count, whatever time they claim', async (t) => {
  const lab = await mesh(3);
  await lab.change(leaseKind, 'web-2', (lease) => (lease.spec.renewTime = '2050-01-01T00:00:00.000000Z'));
  await lab.live(12, 'web-0', 'web-1');
  t.match(lab.readyCondition('web-2'), { reason: 'LeaseExpired' }, 'a time in the future does not keep it');
  await lab.change(leaseKind, 'web-2', (lease) => (lease.spec.renewTime = '1999-01-01T00:00:00.000000Z'));
  await lab.live(2, 'web-0', 'web-1');
  t.match(lab.readyCondition('web-2'), { status: 'True' }, 'a time in the past is a renewal all the same');
  await lab.live(8, 'web-0', 'web-1');
  await lab.change(leaseKind, 'web-2', (lease) => (lease.metadata.labels = { touched: 'yes' }));
  await lab.live(3, 'web-0', 'web-1');
  t.match(lab.readyCondition('web-2'), { reason: 'LeaseExpired' }, 'a change of labels is no renewal');
  await lab.stop();
});

test('a registered pod without a Lease, or that loses it, gets the default duration', async (t) => {
  const lab = await mesh(3);
  await lab.remove(leaseKind, 'web-2');
  await lab.live(39, 'web-0', 'web-1');
  t.match(lab.readyCondition('web-2'), { status: 'True' });
  await lab.live(3, 'web-0', 'web-1');
  t.match(lab.readyCondition('web-2'), { reason: 'LeaseExpired' });
  await lab.stop();
});

test('pods that are not registered are none of our business', async (t) => {
  const lab = await mesh(2);
  await lab.pod('web-9', { ip: ipAt(9) });
  await lab.live(200, 'web-0', 'web-1');
  t.match(lab.readyCondition('web-9'), { status: 'True' });
  await lab.stop();
});

test('the only pod of a Service expires like any other while others are heard', async (t) => {
  const lab = await mesh(1, 3);
  await lab.live(12, ...names('other', 0, 3));
  t.match(lab.readyCondition('web-0'), { reason: 'LeaseExpired' });
  await lab.stop();
});

for (const [name, service] of services) {
  test(`when everyone falls silent, everyone is held, for as long as it takes, ${name}`, async (t) => {
    const lab = await mesh(6, 4, service);
    await lab.advance(3_600);
    t.equal(lab.readyOf('web').length, 6);
    t.equal(lab.readyOf('other').length, 4);
    t.ok(lab.events().includes('LeasesHeld Namespace/default'));
    t.equal(await lab.metric('outrigger_controller_leases_held'), 10);
    const everyone = [...names('web', 0, 6), ...names('other', 0, 4)];
    await lab.live(30, ...everyone);
    t.equal(lab.readyOf('web').length, 6, 'they are back, and nothing happened');
    t.equal(await lab.metric('outrigger_controller_leases_held'), 0);
    t.equal(await lab.metric('outrigger_controller_leases_expired_total'), 0);
    await lab.close();
  });
}

test('Leases that run out one after the other are seen as one loss', async (t) => {
  const lab = await mesh(10);
  for (let i = 0; i < 10; i += 1) {
    await lab.renew(`web-${i}`);
    await lab.advance(1);
  }
  await lab.advance(600);
  t.ok(lab.readyOf('web').length >= 5, `${lab.readyOf('web').length} of 10 are still ready`);
  t.ok(await lab.metric('outrigger_controller_leases_held'));
  t.ok(
    names('web', 0, 10).every((name) => lab.find(podKind, name) !== undefined),
    'and none was removed',
  );
  await lab.stop();
});

test('in an outage nobody is marked before the hold, though Leases run out one after the other', async (t) => {
  const lab = await mesh(9);
  for (let second = 0; second < 30; second += 1) {
    await lab.renew(...names('web', 0, 9).filter((_, i) => i % 3 === second % 3));
    await lab.advance(1);
  }
  await lab.advance(600);
  t.equal(lab.readyOf('web').length, 9);
  t.equal(await lab.metric('outrigger_controller_leases_expired_total'), 0);
  await lab.stop();
});

test('after a hold of everyone, who is still silent a full duration after half of them were heard is dead', async (t) => {
  const lab = await mesh(8);
  await lab.advance(60);
  t.equal(lab.readyOf('web').length, 8);
  const back = names('web', 0, 4);
  await lab.live(9, ...back);
  t.equal(lab.readyOf('web').length, 8, 'everyone gets a full duration to be heard');
  await lab.live(4, ...back);
  t.strictSame(lab.readyOf('web'), [0, 1, 2, 3].map(ipAt));
  await lab.stop();
});

test('a few who are heard do not tell that the others are dead, until the hold has been long', async (t) => {
  const lab = await mesh(8);
  await lab.live(90, 'web-0', 'web-1');
  t.equal(lab.readyOf('web').length, 8, 'we may be cut off from all but our neighbours');
  await lab.live(15, 'web-0', 'web-1');
  t.strictSame(lab.readyOf('web'), [ipAt(0), ipAt(1)]);
  await lab.stop();
});

test('most of one Service is held longer than a duration, but not for ever, while others are heard', async (t) => {
  const lab = await mesh(4, 6);
  const others = names('other', 0, 6);
  await lab.live(30, ...others);
  t.equal(lab.readyOf('web').length, 4, 'all of it silent: held');
  t.ok(lab.events().includes('LeasesHeld Service/web'));
  await lab.live(80, ...others);
  t.equal(lab.readyOf('web').length, 0, 'nobody of it was heard for the time that is allowed');
  t.equal(lab.readyOf('other').length, 6);
  await lab.stop();
});

test('most of one Service dies: the survivor shows that we hear, and a duration later it alone is left', async (t) => {
  const lab = await mesh(4, 8);
  const alive = ['web-0', ...names('other', 0, 8)];
  await lab.live(14, ...alive);
  t.equal(lab.readyOf('web').length, 4);
  await lab.live(10, ...alive);
  t.strictSame(lab.readyOf('web'), [ipAt(0)]);
  await lab.stop();
});

test('a lone pod is held while nobody else is heard; any Lease shows that we are not deaf', async (t) => {
  const lab = await mesh(1);
  await lab.advance(600);
  t.match(lab.readyCondition('web-0'), { status: 'True' });
  await lab.create(leaseKind, {
    metadata: { name: 'outrigger-proxy-1', namespace: 'default', labels: { 'outrigger.dev/role': 'proxy' } },
    spec: { leaseDurationSeconds: 10, renewTime: '2026-01-01T00:00:00.000000Z' },
  });
  await lab.live(12, 'outrigger-proxy-1');
  t.match(lab.readyCondition('web-0'), { reason: 'LeaseExpired' });
  await lab.stop();
});

test('after a restart every Lease gets one full duration before it is judged', async (t) => {
  const lab = await mesh(5);
  await lab.advance(5);
  await lab.stop();
  await lab.advance(3_600);
  await lab.start();
  await lab.live(8, ...names('web', 0, 4));
  t.equal(lab.readyOf('web').length, 5);
  await lab.live(4, ...names('web', 0, 4));
  t.match(lab.readyCondition('web-4'), { reason: 'LeaseExpired' });
  await lab.stop();
  await lab.start();
  await lab.live(58, ...names('web', 0, 4));
  t.ok(lab.find(podKind, 'web-4'), 'the time to removal begins again as well');
  await lab.live(6, ...names('web', 0, 4));
  t.equal(lab.find(podKind, 'web-4'), undefined);
  await lab.stop();
});

test('a machine that was suspended judges nobody for the time it slept', async (t) => {
  const lab = await mesh(3);
  await lab.advance(5);
  // A sleep moves the clock without running what was due.
  const { clock } = lab;
  const now = clock.now.bind(clock);
  clock.now = () => now() + 3_600_000;
  await lab.live(8, 'web-0', 'web-1');
  t.equal(lab.readyOf('web').length, 3);
  t.ok(lab.logged.some((line) => line.includes('the clock jumped')));
  await lab.live(5, 'web-0', 'web-1');
  t.strictSame(lab.readyOf('web'), [ipAt(0), ipAt(1)]);
  await lab.stop();
});

for (const [name, service] of services) {
  test(`a pod being deleted goes when its Lease is deleted, or runs out, or its grace has passed, ${name}`, async (t) => {
    const lab = await mesh(6, 0, service);
    const all = names('web', 0, 6);
    for (const [name, grace] of [
      ['web-0', 300],
      ['web-1', 300],
      ['web-2', 15],
    ] as const) {
      await lab.api.deleteGracefully(podKind, lab.get(podKind, name), grace);
    }
    await lab.live(2, ...all);
    t.ok(
      ['web-0', 'web-1', 'web-2'].every((name) => lab.find(podKind, name)),
      'they have time to drain',
    );
    await lab.remove(leaseKind, 'web-0');
    t.equal(lab.find(podKind, 'web-0'), undefined, 'whoever ran it is done');
    await lab.live(11, ...names('web', 2, 6));
    t.equal(lab.find(podKind, 'web-1'), undefined, 'whoever ran it has fallen silent');
    t.ok(lab.find(podKind, 'web-2'));
    await lab.live(3, ...names('web', 3, 6));
    t.equal(lab.find(podKind, 'web-2'), undefined, 'its time is over');
    t.equal(lab.readyOf('web').length, 3);
    await lab.close();
  });
}

test('a pod that is not registered goes when its grace has passed, as there is no kubelet', async (t) => {
  const lab = await mesh(2);
  await lab.pod('plain-1', { node: 'node-a' });
  await lab.api.deleteGracefully(podKind, lab.get(podKind, 'plain-1'), 20);
  await lab.live(19, 'web-0', 'web-1');
  t.ok(lab.find(podKind, 'plain-1'));
  await lab.live(3, 'web-0', 'web-1');
  t.equal(lab.find(podKind, 'plain-1'), undefined);
  await lab.stop();
});

test('finalizers hold a pod, and are not fought', async (t) => {
  const lab = await mesh(3);
  await lab.change(podKind, 'web-2', (pod) => (pod.metadata.finalizers = ['example.com/keep']));
  await lab.api.deleteGracefully(podKind, lab.get(podKind, 'web-2'), 5);
  await lab.live(10, 'web-0', 'web-1');
  t.equal(lab.get(podKind, 'web-2').metadata.deletionGracePeriodSeconds, 0);
  const writes = lab.writesOf('Pod');
  await lab.live(30, 'web-0', 'web-1');
  t.equal(lab.writesOf('Pod'), writes);
  const { finalizers: _finalizers, ...metadata } = lab.get(podKind, 'web-2').metadata;
  await lab.api.update(podKind, { ...lab.get(podKind, 'web-2'), metadata });
  t.equal(lab.find(podKind, 'web-2'), undefined);
  await lab.stop();
});

test('ended pods are never judged, and cleared away once nothing is heard from them', async (t) => {
  const lab = await mesh(3);
  await lab.change(podKind, 'web-2', (pod) => (pod.status = { ...pod.status, phase: 'Failed' }));
  await lab.live(20, 'web-0', 'web-1');
  t.match(lab.readyCondition('web-2'), { status: 'True' });
  await lab.live(60, 'web-0', 'web-1');
  t.equal(lab.find(podKind, 'web-2'), undefined);
  await lab.stop();
});

test('a conflict with the pod’s own writer is looked at again, not written over', async (t) => {
  const lab = await mesh(3);
  let conflicts = 0;
  lab.api.onWrite = ({ verb, name }) => {
    if (verb !== 'updateStatus' || name !== 'web-2' || conflicts > 0) return;
    conflicts += 1;
    lab.api.onWrite = () => {};
    void lab.renew('web-2');
    const pod = lab.get(podKind, 'web-2');
    void lab.api.updateStatus(podKind, { ...pod, status: { ...pod.status, message: 'alive' } });
  };
  await lab.live(11, 'web-0', 'web-1');
  await lab.advance(1);
  t.equal(conflicts, 1);
  t.match(lab.readyCondition('web-2'), { status: 'True' }, 'it was renewed in the last moment');
  t.equal(await lab.metric('outrigger_controller_leases_expired_total'), 0, 'and never marked');
  await lab.stop();
});

test('Events are bounded when very many pods expire', async (t) => {
  const lab = await Lab.started({ controllers: { eventBurst: 3, eventsPerSecond: 0.001 } });
  await lab.create(serviceKind, serviceObject('web'));
  for (let i = 0; i < 30; i += 1) await lab.pod(`web-${i}`, { ip: ipAt(i), lease: 10 });
  await lab.live(12, ...names('web', 0, 20));
  t.equal(lab.readyOf('web').length, 20);
  t.equal(lab.events().length, 3);
  t.equal(await lab.metric('outrigger_controller_events_dropped_total'), 7);
  await lab.stop();
});

test('a Lease goes with its pod, and nothing else does', async (t) => {
  const lab = await mesh(2);
  await lab.create(leaseKind, { metadata: { name: 'free', namespace: 'default' }, spec: {} });
  await lab.remove(podKind, 'web-0');
  await lab.advance(60);
  t.equal(lab.find(leaseKind, 'web-0'), undefined);
  t.ok(lab.find(leaseKind, 'web-1'));
  t.ok(lab.find(leaseKind, 'free'));
  await lab.stop();
});

test('an object with several owners stays until the last of them is gone', async (t) => {
  const lab = await mesh(3);
  const owner = (name: string) => {
    const { uid = '' } = lab.get(podKind, name).metadata;
    return { apiVersion: 'v1', kind: 'Pod', name, uid };
  };
  await lab.create(leaseKind, {
    metadata: { name: 'shared', namespace: 'default', ownerReferences: [owner('web-0'), owner('web-1')] },
    spec: {},
  });
  const foreign = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x', uid: 'never seen' };
  await lab.create(leaseKind, {
    metadata: { name: 'foreign', namespace: 'default', ownerReferences: [owner('web-0'), foreign] },
    spec: {},
  });
  await lab.remove(podKind, 'web-0');
  await lab.live(60, 'web-1', 'web-2');
  t.ok(lab.find(leaseKind, 'shared'));
  await lab.remove(podKind, 'web-1');
  t.equal(lab.find(leaseKind, 'shared'), undefined);
  t.ok(lab.find(leaseKind, 'foreign'), 'of kinds that are not watched nothing is known');
  await lab.stop();
});

test('what names an owner that never was goes after a while, though it is renewed all the time', async (t) => {
  const lab = await mesh(1);
  await lab.create(leaseKind, {
    metadata: {
      name: 'stray',
      namespace: 'default',
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'web-0', uid: 'an earlier life' }],
    },
    spec: { leaseDurationSeconds: 10, renewTime: '2026-01-01T00:00:00.000000Z' },
  });
  await lab.live(29, 'web-0', 'stray');
  t.ok(lab.find(leaseKind, 'stray'), 'its owner may be on the way');
  await lab.live(1, 'web-0', 'stray');
  await lab.live(1, 'web-0');
  t.equal(lab.find(leaseKind, 'stray'), undefined);
  await lab.stop();
});
