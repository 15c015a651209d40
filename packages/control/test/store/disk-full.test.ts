import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '@outrigger/core/clock';
import { errorCode } from '@outrigger/core/errors';
import { eventually } from '@outrigger/core/testing';
import { test } from 'tap';
import { tempDir } from '../../../../test/harness/index.ts';
import type { Teardown } from '../../../../test/harness/index.ts';
import { openSqliteStore } from '../../src/store/index.ts';
import type { SequencedStore } from '../../src/store/index.ts';
import { follow, gapIn, put, text, write } from './store-words.ts';

/** Tried in a mount namespace of its own, which ends with the command. */
const mayMount = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'probe', tmpdir()]).status === 0;
const small = mayMount ? {} : { skip: 'a small disk cannot be mounted here (run as root)' };

/** A folder on a disk of its own. */
function smallDisk(t: Teardown, size: string): string {
  const dir = tempDir(t);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'outrigger-test', dir]);
  if (mounted.status !== 0) throw new Error(String(mounted.stderr));
  t.teardown(() => spawnSync('umount', ['--lazy', dir]));
  return dir;
}

/** Takes all the room there is; giving it back. */
function takeRoom(dir: string): () => void {
  const path = join(dir, 'ballast');
  const file = openSync(path, 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(4_096));
  } catch (error) {
    if (errorCode(error) !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
  return () => rmSync(path);
}

/** Writes until one is refused; the error. */
async function fill(store: SequencedStore): Promise<Error> {
  for (let count = 0; count < 10_000; count++) {
    try {
      await write(store, put(`/filler/${count}`, 'x'.repeat(5_000)));
    } catch (error) {
      return error as Error;
    }
  }
  throw new Error('the disk does not fill up');
}

test(
  'a full disk refuses writes and nothing else, and takes them again when there is room',
  small,
  async (t) => {
    const dir = smallDisk(t, '3m');
    const ballast = join(dir, 'ballast');
    writeFileSync(ballast, Buffer.alloc(500_000));
    const told: (string | undefined)[] = [];
    const clock = new FakeClock();
    const observer = { readOnly: (reason: string | undefined) => void told.push(reason) };
    const store = await openSqliteStore({ dir, clock, observer });
    t.teardown(() => store.close());

    const refusal = await fill(store);
    t.match(refusal, { code: 'STORE_READ_ONLY', target: join(dir, 'outrigger.db'), hint: /free space/ });
    t.match(refusal.message, /outrigger\.db takes no writes: .*full/);
    const { revision, readOnlyReason } = store.status();
    t.equal(readOnlyReason, refusal.message);
    t.match(told, [/full/]);

    const { items } = await store.range('/');
    t.equal(items.length, revision - 1, 'every acknowledged write can be read');
    t.equal(gapIn(await follow(store, 0, revision), 1), undefined, 'and watched');
    const watching = follow(store, revision, revision + 1);
    const again = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) => write(store, put(`/more/${index}`, 'x'.repeat(5_000)))),
    );
    t.ok(
      again.every((result) => result.status === 'rejected' && errorCode(result.reason) === 'STORE_READ_ONLY'),
    );
    t.equal(store.status().revision, revision, 'refused writes consume no revision');
    t.equal(store.stats.refused, 11);
    t.equal(told.length, 1, 'told once');

    rmSync(ballast);
    t.equal(await write(store, put('/room', 'again')), revision + 1, 'the next write is tried again');
    t.equal(store.status().readOnlyReason, undefined);
    t.strictSame(told.slice(1), [undefined]);
    t.equal((await watching).length, 1, 'the watch went on all the time');

    await fill(store);
    t.ok(store.status().readOnlyReason);
    const grown = spawnSync('mount', ['-o', 'remount,size=8m', dir]);
    t.equal(grown.status, 0);
    await eventually('it takes writes again without being asked', async () => {
      await clock.advance(1_000);
      return store.status().readOnlyReason === undefined;
    });
    const last = await write(store, put('/last', 'x'));
    await store.close();

    const reopened = await openSqliteStore({ dir, clock });
    t.teardown(() => reopened.close());
    t.equal(reopened.status().revision, last);
    t.equal(text((await reopened.range('/room')).items[0]?.value), 'again');
  },
);

test('a store opens, reads and closes on a full disk', small, async (t) => {
  const dir = smallDisk(t, '2m');
  const clock = new FakeClock();
  const first = await openSqliteStore({ dir, clock });
  await fill(first);
  const { revision } = first.status();
  await first.close();
  const giveBack = takeRoom(dir);
  const second = await openSqliteStore({ dir, clock });
  t.equal(second.status().revision, revision);
  t.equal((await second.range('/')).items.length, revision - 1);
  await t.rejects(write(second, put('/a', 'x'.repeat(50_000))), { code: 'STORE_READ_ONLY' });
  await second.close();
  giveBack();
  const third = await openSqliteStore({ dir, clock });
  t.teardown(() => third.close());
  t.equal(await write(third, put('/a', 'x')), revision + 1);
});

test('a new store on a full disk says what is wrong', small, async (t) => {
  const dir = smallDisk(t, '1m');
  takeRoom(dir);
  await t.rejects(openSqliteStore({ dir, clock: new FakeClock() }), {
    code: 'STORE_OPEN_FAILED',
    target: join(dir, 'outrigger.db'),
    hint: /free space/,
  });
});
