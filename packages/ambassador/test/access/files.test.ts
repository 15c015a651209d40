import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FakeClock } from '@outrigger/core/clock';
import { eventually } from '@outrigger/core/testing';
import { test } from 'tap';
import { tempDir } from '../../../../test/harness/index.ts';
import { FileWatch } from '../../src/access/files.ts';

test('a change is told once, at the next look: new content, a switched link, a file gone and back', async (t) => {
  const folder = tempDir(t);
  const file = join(folder, 'a');
  const link = join(folder, 'link');
  writeFileSync(file, 'one');
  writeFileSync(join(folder, 'b'), 'two');
  symlinkSync(file, link);
  const clock = new FakeClock();
  let changes = 0;
  let looks = 0;
  const watch = await FileWatch.open([link, link], {
    clock,
    intervalMs: 100,
    changed: () => Promise.resolve(void (changes += 1)),
  });
  const look = async (): Promise<number> => {
    looks += 1;
    await clock.advance(100);
    // The next timer is set when the files have been looked at.
    await eventually(`look ${looks}`, async () => clock.pending === 1);
    return changes;
  };
  t.equal(await look(), 0);
  writeFileSync(file, 'three');
  t.equal(await look(), 1);
  t.equal(await look(), 1);
  symlinkSync(join(folder, 'b'), join(folder, 'next'));
  renameSync(join(folder, 'next'), link);
  t.equal(await look(), 2);
  rmSync(join(folder, 'b'));
  t.equal(await look(), 3);
  writeFileSync(join(folder, 'b'), 'two');
  t.equal(await look(), 4);
  watch.close();
  t.equal(clock.pending, 0);
});

test('without files nothing is looked at; closed while it looks, it tells nothing', async (t) => {
  const clock = new FakeClock();
  const idle = await FileWatch.open([], {
    clock,
    intervalMs: 1,
    changed: () => Promise.reject(new Error('no')),
  });
  t.equal(clock.pending, 0);
  idle.close();
  const file = join(tempDir(t), 'a');
  let changes = 0;
  const watch = await FileWatch.open([file], {
    clock,
    intervalMs: 1,
    changed: () => Promise.resolve(void (changes += 1)),
  });
  writeFileSync(file, 'x');
  const advanced = clock.advance(1);
  watch.close();
  await advanced;
  t.same([changes, clock.pending], [0, 0]);
});
