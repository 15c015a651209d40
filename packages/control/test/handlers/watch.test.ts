import { test } from 'tap';
import { FakeClock } from '@outrigger/core/clock';
import { eventually } from '@outrigger/core/testing';
import { mergePatch, service, services, startControl } from '../harness.ts';
import type { Control, Watch } from '../harness.ts';

/** No controller writes because of these, so revisions are the test's alone. */
const configMaps = '/api/v1/namespaces/default/configmaps';

const setLabel = (control: Control, name: string, value: string | null) =>
  control.request('PATCH', `${services}/${name}`, { metadata: { labels: { tier: value } } }, mergePatch);

async function types(watch: Watch, count: number): Promise<string[]> {
  const seen: string[] = [];
  for (let i = 0; i < count; i++) {
    const { type, object } = await watch.next();
    seen.push(`${type} ${object.metadata.name}`);
  }
  return seen;
}

test('without a revision a watch begins with everything there is', async (t) => {
  const control = await startControl(t);
  await control.post(services, service('a'));
  await control.post(services, service('b'));
  for (const query of ['watch=1', 'watch=true&resourceVersion=0']) {
    const watch = await control.watch(`${services}?${query}`);
    t.equal(watch.headers['content-type'], 'application/json');
    t.same(await types(watch, 2), ['ADDED a', 'ADDED b']);
  }
});

test('from a revision a watch tells what came after, nothing before and nothing twice', async (t) => {
  const control = await startControl(t);
  await control.post(services, service('a'));
  const { resourceVersion } = (await control.get(services)).body.metadata;
  await control.post(services, service('b'));
  await setLabel(control, 'a', 'x');
  const watch = await control.watch(`${services}?watch=1&resourceVersion=${resourceVersion}`);
  t.same(await types(watch, 2), ['ADDED b', 'MODIFIED a']);
  await control.request('DELETE', `${services}/b`);
  t.same(await types(watch, 1), ['DELETED b']);
});

test('a watch from the revision of any change misses nothing while others write', async (t) => {
  const control = await startControl(t);
  const { resourceVersion } = (await control.get(services)).body.metadata;
  const writes = Array.from({ length: 40 }, (_, i) => control.post(services, service(`s${i}`)));
  const watches: Watch[] = [];
  for (let i = 0; i < 10; i++) {
    watches.push(await control.watch(`${services}?watch=1&resourceVersion=${resourceVersion}`));
  }
  await Promise.all(writes);
  const orders = await Promise.all(watches.map((watch) => types(watch, 40)));
  for (const order of orders) t.same(order, orders[0]);
  t.equal(new Set(orders[0]).size, 40);
});

test('an object that enters or leaves the selection is ADDED or DELETED', async (t) => {
  const control = await startControl(t);
  await control.post(services, service('a', { metadata: { name: 'a', labels: { tier: 'x' } } }));
  const watch = await control.watch(`${services}?watch=1&labelSelector=tier%3Dx`);
  t.same(await types(watch, 1), ['ADDED a']);
  const left = await setLabel(control, 'a', 'y');
  const deleted = await watch.next();
  t.match(deleted, {
    type: 'DELETED',
    object: { metadata: { labels: { tier: 'x' }, resourceVersion: left.body.metadata.resourceVersion } },
  });
  await setLabel(control, 'a', 'x');
  t.same(await types(watch, 1), ['ADDED a']);
  await setLabel(control, 'a', 'y');
  await control.request('DELETE', `${services}/a`);
  t.same(await types(watch, 1), ['DELETED a'], 'once, when it left');
});

test('a watch of one name tells of no other', async (t) => {
  const control = await startControl(t);
  for (const path of [`${services}/b?watch=1`, `${services}?watch=1&fieldSelector=metadata.name%3Db`]) {
    const watch = await control.watch(path);
    await control.post(services, service('a'));
    await control.post(services, service('b'));
    t.same(await types(watch, 1), ['ADDED b']);
    watch.close();
    await control.request('DELETE', services);
  }
});

test('a revision that is no longer known ends the watch with an ERROR event', async (t) => {
  const clock = new FakeClock();
  const control = await startControl(t, {}, { clock });
  const { resourceVersion } = (await control.get(services)).body.metadata;
  for (let i = 0; i < 1_001; i++) {
    if (i === 0) await control.post(services, service('a'));
    else await setLabel(control, 'a', String(i));
  }
  await clock.advance(76_000);
  await setLabel(control, 'a', 'last');
  const watch = await control.watch(`${services}?watch=1&resourceVersion=${resourceVersion}`);
  const [event] = await watch.ended();
  t.match(event, {
    type: 'ERROR',
    object: {
      kind: 'Status',
      status: 'Failure',
      reason: 'Expired',
      code: 410,
      message: /^too old resource version: /,
    },
  });
});

test('a revision of the future is waited for in silence, but not for ever', async (t) => {
  const clock = new FakeClock();
  const control = await startControl(t, {}, { clock });
  const { body } = await control.post(configMaps, { metadata: { name: 'a' } });
  const label = (tier: string) =>
    control.request('PATCH', `${configMaps}/a`, { metadata: { labels: { tier } } }, mergePatch);
  const next = Number(body.metadata.resourceVersion) + 1;
  const soon = await control.watch(`${configMaps}?watch=1&resourceVersion=${next}`);
  await label('1');
  await label('2');
  t.match((await soon.next()).object.metadata.labels, { tier: '2' });
  const never = await control.watch(`${configMaps}?watch=1&resourceVersion=1000000`);
  await clock.advance(3_000);
  t.match(await never.ended(), [{ type: 'ERROR', object: { code: 410 } }]);
});

test('watch-list: the state, then a bookmark that says so, then what follows', async (t) => {
  const control = await startControl(t);
  await control.post(services, service('a'));
  const query = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
  const watch = await control.watch(`${services}?${query}&allowWatchBookmarks=true`);
  t.same(await types(watch, 1), ['ADDED a']);
  const mark = await watch.next();
  t.match(mark, {
    type: 'BOOKMARK',
    object: {
      kind: 'Service',
      apiVersion: 'v1',
      metadata: { annotations: { 'k8s.io/initial-events-end': 'true' }, resourceVersion: /^\d+$/ },
    },
  });
  await control.post(services, service('b'));
  t.same(await types(watch, 1), ['ADDED b']);
  const silent = await control.watch(`${services}?${query}`);
  await control.post(services, service('c'));
  t.same(
    await types(silent, 3),
    ['ADDED a', 'ADDED b', 'ADDED c'],
    'no mark for those who take no bookmarks',
  );
  const refused = await control.get(`${services}?watch=1&sendInitialEvents=true`);
  t.equal(refused.status, 422);
  t.match(refused.body.message, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan');
});

test('bookmarks come when the revision has moved on, and before the timeout', async (t) => {
  const clock = new FakeClock();
  const control = await startControl(t, {}, { clock });
  await control.post(configMaps, { metadata: { name: 'a' } });
  const watch = await control.watch(
    `${configMaps}?watch=1&resourceVersion=0&allowWatchBookmarks=true&timeoutSeconds=200&fieldSelector=metadata.name%3Da`,
  );
  t.same(await types(watch, 1), ['ADDED a']);
  await clock.advance(60_000);
  const { body } = await control.post(configMaps, { metadata: { name: 'b' } });
  await clock.advance(60_000);
  const mark = await watch.next();
  t.match(mark, {
    type: 'BOOKMARK',
    object: { metadata: { resourceVersion: body.metadata.resourceVersion } },
  });
  await control.post(configMaps, { metadata: { name: 'c' } });
  await clock.advance(78_000);
  const rest = watch.ended();
  await clock.advance(2_000);
  t.match(await rest, [{ type: 'BOOKMARK' }], 'one just before the end, none while nothing had changed');
});

test('a watch without bookmarks ends after its timeout, in good order', async (t) => {
  const clock = new FakeClock();
  const control = await startControl(t, {}, { clock });
  const watch = await control.watch(`${services}?watch=1&timeoutSeconds=5`);
  const ended = watch.ended();
  await clock.advance(5_000);
  t.same(await ended, []);
  const page = await control.get('/metrics');
  t.match(page.text, /outrigger_control_watches_ended_total\{reason="timeout"\} 1/);
  t.match(page.text, /outrigger_control_watchers\{resource="services"\} 0/);
});

test('bad questions are refused before the stream begins', async (t) => {
  const control = await startControl(t);
  const refused = async (query: string): Promise<number> =>
    (await control.get(`${services}?watch=1&${query}`)).status;
  t.equal(await refused('resourceVersion=abc'), 400);
  t.equal(await refused('fieldSelector=bogus%3D1'), 400);
  t.equal(await refused('resourceVersionMatch=NotOlderThan'), 422);
  const yaml = await control.get(`${services}?watch=1`, { accept: 'application/yaml' });
  t.equal(yaml.status, 406);
});

test('a client that stops reading is cut off, and nobody waits for it', async (t) => {
  const control = await startControl(t, { watchBuffer: '64KiB' });
  await control.post(services, service('a'));
  const { resourceVersion } = (await control.get(services)).body.metadata;
  const url = new URL(`${control.url}${services}?watch=1&resourceVersion=${resourceVersion}`);
  const { connect } = await import('node:net');
  const deaf = connect(Number(url.port), url.hostname);
  t.teardown(() => deaf.destroy());
  deaf.pause();
  deaf.write(`GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  const reader = await control.watch(`${services}?watch=1&resourceVersion=${resourceVersion}`);
  await eventually('both watch', async () =>
    (await control.get('/metrics')).text.includes('outrigger_control_watchers{resource="services"} 2'),
  );
  let told = 0;
  const cut = async (): Promise<boolean> =>
    (await control.get('/metrics')).text.includes('outrigger_control_watches_ended_total{reason="slow"} 1');
  // The kernel's buffers take some megabytes before anything waits in the server.
  while (!(await cut())) {
    const annotations = { filler: `${told}`.padEnd(200_000, 'x') };
    await control.request('PATCH', `${services}/a`, { metadata: { annotations } }, mergePatch);
    const { object } = await reader.next();
    t.equal(object.metadata.annotations.filler, annotations.filler);
    told++;
  }
  t.ok(told > 0, 'the other watcher was told everything meanwhile');
});

test('at most as many watches as allowed', async (t) => {
  const control = await startControl(t, { maxWatches: 1 });
  await control.watch(`${services}?watch=1`);
  const refused = await control.get(`${services}?watch=1`);
  t.match(refused, { status: 429, headers: { 'retry-after': '1' }, body: { reason: 'TooManyRequests' } });
});

test('draining ends every watch in good order', async (t) => {
  const control = await startControl(t);
  const watch = await control.watch(`${services}?watch=1`);
  const ended = watch.ended();
  await control.daemon.drain();
  t.same(await ended, []);
});
