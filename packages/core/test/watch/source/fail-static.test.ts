/** Promise 3: with the control service gone, restarted empty, restored or replaced, what serves goes on serving. */

import { eventually } from '@outrigger/core/testing';
import type { HoldRule } from '@outrigger/core/watch';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import type { Test } from 'tap';
import { Scene, thing } from './scene.ts';
import type { Thing } from './scene.ts';

/** Each thing is one member of its group. */
const hold: HoldRule<Thing> = {
  groupOf: ({ group }) => group,
  readyIn: ({ name }) => [name],
  knownIn: ({ name }) => [name],
  retain: (before) => before,
};

const names = ['a', 'b', 'c', 'd'];
const all = names.map((name) => `ns/${name}`);

/** Four members of one group, listed and watched. */
async function serving(t: Test, config: { shrinkHold?: string; stateDir?: string } = {}): Promise<Scene> {
  const scene = await Scene.open(t, { config, spec: { hold }, start: false });
  for (const name of names) scene.api.put('things', thing(name, 1, 'web'));
  await scene.source.start();
  await scene.synced();
  return scene;
}

/** A daemon that starts from the state directory of another, before a server that may be gone. */
async function restarted(t: Test, stateDir: string, spec = {}): Promise<Scene> {
  const scene = await Scene.open(t, { config: { stateDir }, spec: { hold, ...spec }, start: false });
  for (const name of names) scene.api.put('things', thing(name, 1, 'web'));
  return scene;
}

test('a list after a break that lacks most of a Service: additions at once, removals after the wait', async (t) => {
  const scene = await serving(t);
  scene.api.cutWatches();
  scene.api.lose('things', ['ns/a', 'ns/b', 'ns/c']);
  scene.api.put('things', thing('new', 1, 'web'));
  await scene.until('the addition', () => scene.told.has('ns/new'), 5_000);
  const listedAt = scene.clock.now();
  t.same(scene.keys, [...all, 'ns/new']);
  t.match(scene.source.status().held, [
    { resource: 'things', group: 'web', doubt: 'broken-watch', members: ['a', 'b', 'c'] },
  ]);
  t.match(await scene.deps.metrics.page(), /outrigger_watch_held_removals\{resource="things"\} 3/);
  t.match(scene.deps.lines.join(''), /removals wait.*broken-watch.*web \(3\)/);
  await scene.until('the removals', () => scene.keys.join() === 'ns/d,ns/new', 31_000);
  t.ok(scene.clock.now() - listedAt >= 29_000);
  t.equal(scene.batches.at(-1)?.cause, 'shrink-hold');
  t.same(scene.source.status().held, []);
  t.match(
    await scene.deps.metrics.page(),
    /outrigger_watch_held_removals_total\{resource="things",doubt="broken-watch"\} 3/,
  );
});

test('half of a Service goes at once', async (t) => {
  const scene = await serving(t);
  scene.api.cutWatches();
  scene.api.lose('things', ['ns/a', 'ns/b']);
  await scene.until('the removals', () => scene.keys.join() === 'ns/c,ns/d', 5_000);
});

test('what the watch itself removes goes at once, all of it', async (t) => {
  const scene = await serving(t);
  for (const key of all) scene.api.delete('things', key);
  await scene.until('all gone', () => scene.told.size === 0, 1_000);
});

test('a list without a break is trusted', async (t) => {
  const scene = await serving(t);
  scene.api.lose('things', ['ns/a', 'ns/b', 'ns/c']);
  scene.api.endWatches();
  await scene.until('the removals', () => scene.keys.join() === 'ns/d', 1_000);
});

test('members that come back before the wait is over never went', async (t) => {
  const scene = await serving(t);
  scene.api.cutWatches();
  scene.api.lose('things', all);
  await scene.until('held', () => scene.source.status().held.length === 1, 5_000);
  for (const name of names) scene.api.put('things', thing(name, 2, 'web'));
  await scene.until('back', () => scene.told.get('ns/d')?.value === 2, 1_000);
  await scene.pass(60_000);
  t.same(scene.keys, all);
  t.ok(scene.batches.every((batch) => batch.delete.length === 0));
});

test('another cluster answers: every removal waits', async (t) => {
  const scene = await serving(t);
  scene.api.uid = 'cluster-2';
  scene.api.lose('things', ['ns/a']);
  scene.api.endWatches();
  await scene.until('noticed', () => scene.source.status().identity === 'cluster-2', 5_000);
  await scene.pass(5_000);
  t.same(scene.keys, all);
  t.match(scene.source.status().held, [{ members: ['a'], doubt: 'identity-changed' }]);
  await scene.until('the removal', () => scene.told.size === 3, 31_000);
});

test('the revision went back: every removal waits', async (t) => {
  const scene = await serving(t);
  scene.api.lose('things', ['ns/a']);
  scene.api.revision = 40;
  scene.api.compactedBefore = 0;
  scene.api.endWatches();
  await scene.pass(5_000);
  t.same(scene.keys, all);
  t.match(scene.source.status().held, [{ members: ['a'], doubt: 'revision-went-back' }]);
  scene.api.put('things', thing('e', 1, 'web'));
  await scene.until('it goes on from there', () => scene.told.has('ns/e'), 1_000);
});

test('--shrink-hold 0 holds nothing', async (t) => {
  const scene = await serving(t, { shrinkHold: '0' });
  scene.api.cutWatches();
  scene.api.lose('things', all);
  await scene.until('all gone', () => scene.told.size === 0, 5_000);
});

test('control gone for a minute: nothing happens, and then it goes on', async (t) => {
  const scene = await serving(t);
  const told = scene.batches.length;
  scene.net.cut(scene.api.url.slice('http://'.length));
  scene.api.cutWatches();
  scene.api.put('things', thing('e', 1, 'web'));
  await scene.pass(60_000);
  t.equal(scene.batches.length, told);
  t.match(scene.source.status().watches[0]?.problem, /ECONNREFUSED/);
  t.same(scene.source.health(), { healthy: true, problems: {} }, 'traffic goes on, so it is well');
  scene.net.mend(scene.api.url.slice('http://'.length));
  await scene.until('the event', () => scene.told.has('ns/e'), 31_000);
});

test('restarted without control: ready from the snapshot, and up to date when control is back', async (t) => {
  const stateDir = t.testdir();
  const before = await serving(t, { stateDir });
  await before.source.save();
  await before.source.close();

  const scene = await restarted(t, stateDir);
  scene.net.cut(scene.api.url.slice('http://'.length));
  await scene.source.start();
  await scene.source.ready;
  t.match(scene.batches, [{ cause: 'snapshot', identity: 'cluster-1' }]);
  t.same(scene.keys, all);
  t.same(scene.told.get('ns/a'), { name: 'a', group: 'web', value: 1 });
  t.match(scene.source.status().watches, [{ fromSnapshot: true, records: 4 }]);
  scene.api.delete('things', 'ns/a');
  scene.net.mend(scene.api.url.slice('http://'.length));
  await scene.until('the difference', () => scene.keys.join() === 'ns/b,ns/c,ns/d', 31_000);
  t.match(scene.batches.at(-1), { cause: 'relist', doubt: 'broken-watch' });
  t.match(scene.source.status().watches, [{ fromSnapshot: false }]);
});

test('restarted while control has lost everything: the snapshot is held against it', async (t) => {
  const stateDir = t.testdir();
  const before = await serving(t, { stateDir });
  await before.source.save();
  await before.source.close();
  const scene = await restarted(t, stateDir);
  scene.api.lose('things', all);
  scene.api.uid = 'cluster-2';
  await scene.source.start();
  await scene.until('listed', () => scene.source.status().watches[0]?.fromSnapshot === false);
  t.same(scene.keys, all);
  await scene.until('gone after the wait', () => scene.told.size === 0, 31_000);
});

test('killed while removals wait: the next start begins from the state before', async (t) => {
  const stateDir = t.testdir();
  const before = await serving(t, { stateDir });
  await before.source.save();
  before.api.cutWatches();
  before.api.lose('things', ['ns/a', 'ns/b', 'ns/c']);
  await before.until('held', () => before.source.status().held.length === 1, 5_000);
  await before.pass(15_000);
  await before.source.save();
  await before.source.close();
  const scene = await restarted(t, stateDir);
  scene.net.cut(scene.api.url.slice('http://'.length));
  await scene.source.start();
  t.same(scene.keys, all);
});

test('records of an older release are projected anew by the first list', async (t) => {
  const stateDir = t.testdir();
  const before = await serving(t, { stateDir });
  await before.source.save();
  await before.source.close();
  const project = (object: { metadata: { name: string } }): Thing => ({
    name: object.metadata.name,
    group: 'web',
    value: 'new form',
  });
  const scene = await restarted(t, stateDir, { project });
  await scene.source.start();
  await scene.until('listed', () => scene.told.get('ns/a')?.value === 'new form', 5_000);
});

test('the snapshot follows what happens, and holds no more than asked', async (t) => {
  const stateDir = t.testdir();
  const scene = await serving(t, { stateDir });
  scene.source.watch({
    resource: { group: '', version: 'v1', resource: 'secrets', namespaced: true },
    persist: false,
    project: () => 'a secret',
    onChanges: () => {},
  });
  scene.api.put('secrets', thing('s', 'hidden'));
  const file = join(stateDir, 'proxy.snapshot');
  const content = (): Promise<string> => readFile(file, 'utf8').catch(() => '');
  scene.api.put('things', thing('e', 1, 'web'));
  await scene.pass(11_000);
  await eventually('written by itself', async () => (await content()).includes('ns/e'));
  t.notMatch(await content(), /a secret|secrets/);
  t.match(scene.source.status().snapshot, { file });
});

test('a damaged snapshot: said, counted, and started without', async (t) => {
  const stateDir = t.testdir({ 'proxy.snapshot': 'damaged' });
  const scene = await restarted(t, stateDir);
  await scene.source.start();
  await scene.synced();
  t.match(scene.batches, [{ cause: 'list' }]);
  t.match(await scene.deps.metrics.page(), /outrigger_snapshot_errors_total\{reason="refused"\} 1/);
});

test('records that the receiver does not take are as good as none', async (t) => {
  const stateDir = t.testdir();
  const before = await serving(t, { stateDir });
  await before.source.save();
  await before.source.close();
  const scene: Scene = await restarted(t, stateDir, {
    onChanges: (changes: Parameters<Scene['take']>[0]) => {
      if (changes.cause === 'snapshot') throw new Error('what is this');
      scene.take(changes);
    },
  });
  await scene.source.start();
  await scene.synced();
  t.same(scene.keys, all);
  t.match(scene.batches[0], { cause: 'list' });
  t.match(await scene.deps.metrics.page(), /outrigger_snapshot_errors_total\{reason="unusable"\} 1/);
});

test('other flags than before: what is not watched any more is not restored', async (t) => {
  const stateDir = t.testdir();
  const before = await serving(t, { stateDir });
  await before.source.save();
  await before.source.close();
  const scene = await restarted(t, stateDir, { scopes: [{ namespace: 'other' }] });
  await scene.source.start();
  await scene.synced();
  t.match(scene.batches, [{ cause: 'list', put: [] }]);
});
