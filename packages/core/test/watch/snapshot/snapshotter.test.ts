import { FakeClock } from '@outrigger/core/clock';
import { Metrics } from '@outrigger/core/metrics';
import { eventually, testDeps } from '@outrigger/core/testing';
import { chmod, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { WatchMetrics } from '../../../src/watch/metrics.ts';
import type { Section } from '../../../src/watch/snapshot/format.ts';
import { Snapshotter } from '../../../src/watch/snapshot/snapshotter.ts';
import { test } from 'tap';

const one: Section[] = [
  { name: 's', revision: '1', identity: 'c1', held: [{ key: 'a', revision: '1', record: 1 }] },
];

function setUp(stateDir: string, sections: () => readonly Section[] | undefined = () => one) {
  const clock = new FakeClock();
  const metrics = new WatchMetrics(new Metrics({ processMetrics: false }));
  const deps = testDeps({ clock });
  const snapshotter = new Snapshotter({ stateDir, role: 'proxy', sections, metrics, clock, log: deps.log });
  return { clock, metrics, snapshotter, lines: deps.lines, saves: () => metrics.snapshotSaves.get() };
}

test('saved, it comes back; the file is for the owner alone and nothing is left beside it', async (t) => {
  const dir = join(t.testdir(), 'made', 'on demand');
  const { snapshotter } = setUp(dir);
  t.equal(await snapshotter.load(), undefined, 'the first start has none');
  snapshotter.mark();
  await snapshotter.save();
  t.same((await snapshotter.load())?.sections, one);
  t.equal((await stat(snapshotter.file)).mode & 0o777, 0o600);
  t.same(await readdir(dir), ['proxy.snapshot']);
  snapshotter.close();
});

test('a left-over of a crash is no obstacle, nor is its mode', async (t) => {
  const dir = t.testdir({ 'proxy.snapshot.tmp': 'half a snapsh' });
  await chmod(join(dir, 'proxy.snapshot.tmp'), 0o666);
  const { snapshotter } = setUp(dir);
  snapshotter.mark();
  await snapshotter.save();
  t.equal((await stat(snapshotter.file)).mode & 0o777, 0o600);
  t.ok(await snapshotter.load());
  snapshotter.close();
});

test('at most every ten seconds, and not at all when nothing changed', async (t) => {
  const { clock, snapshotter, saves } = setUp(t.testdir());
  const marked = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      snapshotter.mark();
      await clock.advance(100);
    }
  };
  await marked(1);
  await eventually('the first save', () => saves() === 1);
  await marked(90);
  t.equal(saves(), 1);
  await clock.advance(1_000);
  await eventually('the second save', () => saves() === 2);
  await clock.advance(60_000);
  await snapshotter.save();
  t.equal(saves(), 2);
  snapshotter.close();
});

test('a drain writes what is not written yet, at once', async (t) => {
  const { snapshotter, saves } = setUp(t.testdir());
  snapshotter.mark();
  await snapshotter.save();
  snapshotter.mark();
  snapshotter.close();
  await snapshotter.save();
  t.equal(saves(), 2);
});

test('not while removals wait: the file of before stays, and it is made up for later', async (t) => {
  let sections: readonly Section[] | undefined = one;
  const { snapshotter, saves } = setUp(t.testdir(), () => sections);
  snapshotter.mark();
  await snapshotter.save();
  const before = await readFile(snapshotter.file, 'utf8');
  sections = undefined;
  snapshotter.mark();
  await snapshotter.save();
  t.equal(await readFile(snapshotter.file, 'utf8'), before);
  sections = [];
  await snapshotter.save();
  t.equal(saves(), 2);
  snapshotter.close();
});

test('a damaged or foreign file is refused, said and counted', async (t) => {
  const dir = t.testdir({ 'proxy.snapshot': 'rubbish' });
  const { snapshotter, metrics, lines } = setUp(dir);
  t.equal(await snapshotter.load(), undefined);
  t.equal(metrics.snapshotErrors.get('refused'), 1);
  t.match(lines.join(''), /snapshot refused.*damaged/);
  snapshotter.close();
});

test('a directory that cannot be written is said once, counted each time, and tried again', async (t) => {
  const dir = t.testdir({ state: 'a file where the directory should be' });
  const { snapshotter, metrics, lines, saves } = setUp(join(dir, 'state'));
  for (let i = 0; i < 3; i++) {
    snapshotter.mark();
    await snapshotter.save();
  }
  t.equal(metrics.snapshotErrors.get('write'), 3);
  t.equal(lines.filter((line) => line.includes('snapshot not written')).length, 1);
  t.equal(saves(), 0);
  snapshotter.close();
});

test('the old file is whole until the new one is', async (t) => {
  const dir = t.testdir();
  const many: Section[] = [
    {
      ...one[0]!,
      held: Array.from({ length: 5_000 }, (_, i) => ({ key: `k${i}`, revision: '1', record: { i } })),
    },
  ];
  const { snapshotter } = setUp(dir, () => many);
  snapshotter.mark();
  await snapshotter.save();
  snapshotter.mark();
  let saved = false;
  const saving = snapshotter.save().then(() => (saved = true));
  let reads = 0;
  while (!saved) {
    const snapshot = await snapshotter.load();
    t.equal(snapshot?.sections[0]?.held.length, 5_000);
    reads += 1;
  }
  await saving;
  t.ok(reads > 0, `read ${reads} times meanwhile`);
  snapshotter.close();
});
