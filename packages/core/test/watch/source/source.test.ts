import { endpointSliceKind } from '@outrigger/core/api';
import { test } from 'tap';
import { FakeApi } from '../fake-api.ts';
import { Scene, thing, things } from './scene.ts';

test('lists, watches, and tells what changed', async (t) => {
  const scene = await Scene.open(t, { start: false });
  scene.api.put('things', thing('a'));
  await scene.source.start();
  await scene.synced();
  await scene.source.ready;
  t.match(scene.batches, [{ cause: 'list', doubt: undefined, identity: 'cluster-1' }]);
  scene.api.put('things', thing('b'));
  scene.api.delete('things', 'ns/a');
  await scene.until('the events', () => scene.keys.join() === 'ns/b');
  t.equal(scene.batches.at(-1)?.cause, 'watch');
});

test('an empty list is told too', async (t) => {
  const scene = await Scene.open(t);
  await scene.synced();
  t.match(scene.batches, [{ cause: 'list', put: [], delete: [] }]);
  t.same(scene.source.health(), { healthy: true, problems: {} });
});

test('refused watch-list: pages, once and for all watches of that server', async (t) => {
  const scene = await Scene.open(t, { start: false });
  scene.api.refuseWatchList = true;
  for (let i = 0; i < 1_200; i++) scene.api.put('things', thing(`t${i}`));
  await scene.source.start();
  await scene.synced();
  t.equal(scene.told.size, 1_200);
  t.equal(scene.asked({ limit: '500' }), 3, 'three pages');
  t.equal(scene.asked({ sendInitialEvents: 'true' }), 1);
  scene.api.put('things', thing('more'));
  await scene.until('events go on', () => scene.told.has('ns/more'));
  scene.api.compact();
  scene.api.cutWatches();
  scene.api.put('things', thing('later'));
  scene.api.compact();
  await scene.until('listed again', () => scene.told.has('ns/later'));
  t.equal(scene.asked({ sendInitialEvents: 'true' }), 1, 'not asked for again');
});

test('a server that ignores sendInitialEvents is understood too', async (t) => {
  const scene = await Scene.open(t, { start: false });
  scene.api.ignoreWatchList = true;
  scene.api.put('things', thing('a'));
  await scene.source.start();
  await scene.synced();
  t.same(scene.keys, ['ns/a']);
});

test('a watch that ended in order goes on where it was, without a list or a wait', async (t) => {
  const scene = await Scene.open(t);
  await scene.synced();
  scene.api.put('things', thing('a'));
  await scene.until('the event', () => scene.told.has('ns/a'));
  const before = scene.clock.now();
  scene.api.endWatches();
  await scene.pass(0);
  await scene.pass(0);
  t.equal(scene.api.watches.size, 1);
  t.equal(scene.clock.now(), before);
  t.equal(scene.asked({ resourceVersion: String(scene.api.revision) }), 1);
});

test('too old a revision: one list, one difference', async (t) => {
  const scene = await Scene.open(t, { start: false });
  for (const name of ['a', 'b', 'c']) scene.api.put('things', thing(name));
  await scene.source.start();
  await scene.synced();
  scene.api.endWatches();
  scene.api.put('things', thing('a', 2));
  scene.api.delete('things', 'ns/b');
  scene.api.put('things', thing('d'));
  scene.api.compact();
  await scene.until('the difference', () => scene.told.has('ns/d'));
  const last = scene.batches.at(-1);
  t.match(last, { cause: 'relist', doubt: undefined });
  t.same(last?.put.map(({ key }) => key).toSorted(), ['ns/a', 'ns/d']);
  t.same(
    last?.delete.map(({ key }) => key),
    ['ns/b'],
  );
});

test('a silent stream is found dead by its missing bookmarks', async (t) => {
  const scene = await Scene.open(t);
  await scene.synced();
  scene.api.bookmark();
  await scene.pass(0);
  scene.api.silent = true;
  scene.api.put('things', thing('lost on the way'));
  await scene.pass(149_000);
  t.equal(scene.api.watches.size, 1);
  t.equal(scene.told.size, 0);
  scene.api.silent = false;
  await scene.until('it came after all', () => scene.told.size === 1, 10_000);
  t.match(
    await scene.deps.metrics.page(),
    /outrigger_watch_failures_total\{resource="things",reason="silent"\} 1/,
  );
});

test('a silent stream without bookmarks is found dead when its time is long over', async (t) => {
  const scene = await Scene.open(t);
  await scene.synced();
  scene.api.silent = true;
  scene.api.put('things', thing('lost on the way'));
  await scene.pass(300_000);
  t.equal(scene.told.size, 0);
  scene.api.silent = false;
  await scene.until('it came after all', () => scene.told.size === 1, 340_000);
});

test('an event cut at every byte is never half taken, and comes whole', async (t) => {
  const scene = await Scene.open(t);
  await scene.synced();
  const whole = scene.api.send;
  const length = JSON.stringify({
    type: 'ADDED',
    object: scene.api.put('things', thing('probe', 'größe')),
  }).length;
  for (let cut = 0; cut <= length + 4; cut++) {
    scene.api.send = (response, text) => {
      response.write(Buffer.from(text).subarray(0, cut), () => response.destroy());
      scene.api.send = whole;
    };
    scene.api.put('things', thing('cut', `${cut} größe`));
    await scene.until(`cut at ${cut}`, () => scene.told.get('ns/cut')?.value === `${cut} größe`, 120_000);
  }
  t.ok(
    scene.batches.every(({ cause }) => cause === 'list' || cause === 'watch'),
    'resumed, never listed anew',
  );
});

test('one of several URLs is dead: the other is used at once', async (t) => {
  const scene = await Scene.open(t, {
    config: ({ api }) => ({ control: [`http://127.0.0.1:1,${api.url}`] }),
    start: false,
  });
  scene.api.put('things', thing('a'));
  await scene.source.start();
  await scene.until('listed', () => scene.told.size === 1, 1_000);
  t.equal(scene.source.status().url, scene.api.url);
});

test('a server that dies: the other goes on from the same revision', async (t) => {
  const other = new FakeApi();
  const second = 'http://127.0.0.1:4000';
  const scene = await Scene.open(t, { config: ({ api }) => ({ control: [api.url, second] }), start: false });
  await other.listen(scene.net, { kind: 'tcp', host: '127.0.0.1', port: 4000 });
  t.teardown(() => other.close());
  await scene.source.start();
  await scene.synced();
  for (const api of [scene.api, other]) api.put('things', thing('a'));
  await scene.until('the event', () => scene.told.has('ns/a'));
  other.put('things', thing('b'));
  scene.api.close();
  await scene.until('the event at the other', () => scene.told.has('ns/b'), 5_000);
  t.ok(scene.batches.every(({ cause }) => cause !== 'relist'));
});

test('a storm of errors: patience, one line in the log, and nothing lost', async (t) => {
  const scene = await Scene.open(t);
  await scene.synced();
  scene.api.put('things', thing('a'));
  await scene.until('the event', () => scene.told.size === 1);
  scene.api.failures.push(...Array.from({ length: 12 }, () => ({ status: 503 })));
  scene.api.cutWatches();
  const from = scene.clock.now();
  const requests = scene.api.requests.length;
  scene.api.put('things', thing('b'));
  await scene.until('the storm is over', () => scene.told.has('ns/b'), 400_000);
  t.ok(scene.clock.now() - from > 100_000, 'it waited longer and longer');
  t.ok(scene.api.requests.length - requests < 20);
  t.ok(scene.told.has('ns/a'), 'what was known stayed in use');
  const warnings = scene.deps.lines.filter((line) => line.includes('watch interrupted'));
  t.equal(warnings.length, 2, 'the break, then the errors');
  t.equal(scene.source.status().watches[0]?.problem, undefined);
});

test('too many requests: as long as the server asks', async (t) => {
  const scene = await Scene.open(t, { start: false });
  scene.api.failures.push({ status: 429, retryAfter: 9 });
  await scene.source.start();
  await scene.pass(8_900);
  t.equal(scene.api.requests.length, 1);
  await scene.synced();
});

test('not permitted: said, tried again, and not ready meanwhile', async (t) => {
  const scene = await Scene.open(t, { start: false });
  let permitted = false;
  scene.api.other = ({ path }, response) => {
    if (permitted || !path.endsWith('things')) return false;
    response
      .writeHead(403)
      .end('{"kind":"Status","status":"Failure","reason":"Forbidden","message":"not yours","code":403}');
    return true;
  };
  await scene.source.start();
  await scene.until('said', () => scene.source.health().problems['watch things'] !== 'not listed yet');
  t.match(scene.source.health(), { healthy: false, problems: { 'watch things': /not yours/ } });
  permitted = true;
  await scene.synced();
});

test('a cluster that may not be identified is watched all the same, and that is said once', async (t) => {
  const scene = await Scene.open(t, { start: false });
  scene.api.uid = undefined;
  await scene.source.start();
  await scene.synced();
  scene.api.cutWatches();
  await scene.pass(5_000);
  t.equal(scene.deps.lines.filter((line) => line.includes('cannot be identified')).length, 1);
  t.equal(scene.api.watches.size, 1);
});

test('a receiver that throws gets the same again', async (t) => {
  let refusals = 1;
  const scene: Scene = await Scene.open(t, {
    spec: {
      onChanges: (changes) => {
        if (changes.cause === 'watch' && refusals-- > 0) throw new Error('not now');
        scene.take(changes);
      },
    },
    start: false,
  });
  await scene.source.start();
  await scene.synced();
  scene.api.put('things', thing('a'));
  await scene.until('the second time', () => scene.told.has('ns/a'));
  t.match(scene.deps.lines.join(''), /ERROR.*not now/);
});

test('an object that cannot be taken in, and an answer that is no list: said, and tried again', async (t) => {
  let broken = true;
  const scene = await Scene.open(t, {
    spec: {
      project: ({ metadata }: { metadata: { name: string } }) => {
        if (broken) throw new Error('what is this');
        return { name: metadata.name, group: '', value: 1 };
      },
    },
    start: false,
  });
  scene.api.refuseWatchList = true;
  scene.api.put('things', thing('a'));
  const problem = (): string => scene.source.status().watches[0]?.problem ?? '';
  await scene.source.start();
  await scene.until('said', () => problem().includes('ns/a could not be taken in'));
  broken = false;
  scene.api.other = ({ path, query }, response) => {
    if (!path.endsWith('things') || query.get('watch') === '1') return false;
    response.end('<html>');
    return true;
  };
  await scene.until('said', () => problem().includes('not a list'));
  scene.api.other = undefined;
  await scene.synced();
  t.same(scene.keys, ['ns/a']);
});

test('a kind that a cluster need not serve', async (t) => {
  const scene = await Scene.open(t, { spec: { optional: true }, start: false });
  scene.api.unserved.add('things');
  await scene.source.start();
  await scene.until('synced without', () => scene.batches.length === 1);
  scene.api.unserved.clear();
  scene.api.put('things', thing('a'));
  await scene.until('it came to be served', () => scene.told.size === 1);
});

test('as narrow as asked: namespaces, names, slices of Services', async (t) => {
  const scene = await Scene.open(t, { config: { namespace: ['shop', 'ns'] }, start: false });
  scene.api.put('things', thing('a'));
  scene.api.put('things', { metadata: { namespace: 'elsewhere', name: 'x' } });
  scene.source.watch({
    resource: endpointSliceKind,
    scopes: [{ namespace: 'shop', labelSelector: 'kubernetes.io/service-name=web' }],
    project: () => 1,
    onChanges: () => {},
  });
  await scene.source.start();
  await scene.synced();
  t.same(scene.keys, ['ns/a']);
  const watched = scene.api.requests.filter(({ query }) => query.get('watch') === '1');
  t.same(watched.map(({ path, query }) => `${path} ${query.get('labelSelector')}`).toSorted(), [
    '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices kubernetes.io/service-name=web',
    '/apis/example.dev/v1/namespaces/ns/things null',
    '/apis/example.dev/v1/namespaces/shop/things null',
  ]);
  const identified = scene.api.requests.filter(({ path }) => path === '/api/v1/namespaces');
  t.ok(identified.length <= 2, 'three watches share the question who answers');
});

test('other scopes: what both have stays, what only the old had goes once the new are there', async (t) => {
  const named = (name: string) => ({ namespace: 'ns', fieldSelector: `metadata.name=${name}` });
  const scene = await Scene.open(t, { spec: { scopes: [named('a'), named('b')] }, start: false });
  for (const name of ['a', 'b', 'c']) scene.api.put('things', thing(name));
  await scene.source.start();
  await scene.synced();
  t.same(scene.keys, ['ns/a', 'ns/b']);
  const deleted: string[] = [];
  scene.watch.setScopes([named('b'), named('c')]);
  await scene.until('the new one', () => scene.keys.join() === 'ns/b,ns/c');
  for (const batch of scene.batches) deleted.push(...batch.delete.map(({ key }) => key));
  t.same(deleted, ['ns/a'], 'b never went');
  scene.watch.setScopes([{ namespace: 'ns' }]);
  await scene.until('all of the namespace', () => scene.keys.join() === 'ns/a,ns/b,ns/c');
  scene.api.put('things', thing('d'));
  await scene.until('and what comes', () => scene.told.has('ns/d'));
  t.equal(scene.api.watches.size, 1);
});

test('ready does not wait for what nobody watches any more', async (t) => {
  for (const how of ['other scopes', 'closed'] as const) {
    const scene = await Scene.open(t, { start: false });
    scene.net.cut(scene.api.url.slice('http://'.length));
    await scene.source.start();
    let ready = false;
    void scene.source.ready.then(() => (ready = true));
    await scene.pass(5_000);
    t.notOk(ready);
    if (how === 'closed') await scene.watch.close();
    else scene.watch.setScopes([]);
    await scene.pass(0);
    t.ok(ready, how);
  }
});

test('a watch that is closed tells nothing more', async (t) => {
  const scene = await Scene.open(t);
  await scene.synced();
  await scene.watch.close();
  await scene.until('closed at the server', () => scene.api.watches.size === 0);
  scene.api.put('things', thing('a'));
  await scene.pass(60_000);
  t.equal(scene.told.size, 0);
  t.same(scene.source.status().watches, []);
});

test('status and metrics show what a person asks for', async (t) => {
  const scene = await Scene.open(t);
  await scene.synced();
  scene.api.put('things', thing('a'));
  await scene.until('the event', () => scene.told.size === 1);
  await scene.pass(5_000);
  t.match(scene.source.status(), {
    url: scene.api.url,
    identity: 'cluster-1',
    held: [],
    snapshot: undefined,
    watches: [
      {
        resource: 'things',
        phase: 'watching',
        records: 1,
        revision: '101',
        fromSnapshot: false,
        problem: undefined,
      },
    ],
  });
  const page = await scene.deps.metrics.page();
  for (const line of [
    /outrigger_watch_age_seconds\{resource="things"\} 5/,
    /outrigger_watch_records\{resource="things"\} 1/,
    /outrigger_watch_synced\{resource="things"\} 1/,
    /outrigger_watch_connected\{resource="things"\} 1/,
    /outrigger_watch_events_total\{resource="things",type="ADDED"\} 1/,
    /outrigger_watch_lists_total\{resource="things",doubt="none"\} 1/,
    /outrigger_watch_changes_total\{resource="things",cause="watch",change="put"\} 1/,
  ]) {
    t.match(page, line);
  }
});

test('closing while everything is under way leaves nothing behind', async (t) => {
  for (const turns of [0, 1, 3, 6, 10, 15, 25, 40]) {
    const scene = await Scene.open(t);
    for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
    await scene.source.close();
    await scene.pass(0);
    t.equal(scene.api.watches.size, 0);
    t.equal(scene.clock.pending, 0, `after ${turns} turns`);
  }
});

test('a configuration that cannot be is refused', async (t) => {
  await t.rejects(Scene.open(t, { config: { shrinkHold: 'soon' } }), { code: 'CONFIG_INVALID', hint: /30s/ });
  t.equal(things.namespaced, true);
});
