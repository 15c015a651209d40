/** Two set-ups at once take turns; one that died does not block the next. */

import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { withLock } from '../../scripts/setup/lock.mjs';
import { root } from '../../scripts/setup/paths.mjs';
import { startProcess, tempDir } from '../harness/index.ts';

test('processes take turns', async (t) => {
  const log = join(tempDir(t), 'log');
  writeFileSync(log, '');
  const script = `
    import { appendFileSync } from 'node:fs';
    import { setTimeout as sleep } from 'node:timers/promises';
    import { withLock } from ${JSON.stringify(join(root, 'scripts/setup/lock.mjs'))};
    await withLock('test-turns-${process.pid}', async () => {
      appendFileSync(${JSON.stringify(log)}, 'in ');
      await sleep(20);
      appendFileSync(${JSON.stringify(log)}, 'out ');
    });`;
  const all = await Promise.all(
    [1, 2, 3, 4].map(() => startProcess(t, process.execPath, ['--input-type=module', '-e', script])),
  );
  const exits = await Promise.all(all.map((one) => one.exited));
  t.same(
    exits,
    Array.from({ length: 4 }, () => ({ code: 0, signal: null })),
  );
  t.equal(readFileSync(log, 'utf8'), 'in out '.repeat(4));
});

test('the lock of a process that is gone is taken over, also when its id runs again', async (t) => {
  const name = `test-gone-${process.pid}`;
  const path = join(root, '.cache', `${name}.lock`);
  for (const owner of ['4194999:123', `${process.pid}:1`]) {
    await withLock(name, () => {});
    symlinkSync(owner, path);
    let ran = false;
    await withLock(name, () => {
      ran = true;
    });
    t.ok(ran, owner);
  }
});

test('the lock is released when the work fails', async (t) => {
  const name = `test-fails-${process.pid}`;
  await t.rejects(
    withLock(name, () => {
      throw new Error('no');
    }),
    /no/,
  );
  await withLock(name, () => t.pass('free again'));
});
