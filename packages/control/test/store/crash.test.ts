import { systemClock } from '@outrigger/core/clock';
import { test } from 'tap';
import { openSqliteStore } from '../../src/store/index.ts';
import type { StoredValue } from '../../src/store/index.ts';
import { fingerprint } from './store-words.ts';
import { killDuringWrites, lossesIn, lostWrites, startWriters } from './crash.ts';

test('kill -9 during 1,000 concurrent writes loses nothing acknowledged', async (t) => {
  const dir = t.testdir();
  for (const atLeast of [1, 2_500, 6_000]) {
    const acknowledged = await killDuringWrites(t, dir, 1_000, atLeast);
    t.ok(acknowledged.length >= atLeast, `${acknowledged.length} acknowledged`);
    t.strictSame(await lossesIn(dir, acknowledged), []);
  }
});

test('a second process is refused while the first lives, and not a moment longer', async (t) => {
  const dir = t.testdir();
  const child = await startWriters(t, dir, 1);
  const open = () => openSqliteStore({ dir, clock: systemClock() });
  await t.rejects(open(), { code: 'STORE_LOCKED', target: dir, hint: /stop the other/ });
  await t.rejects(open(), { code: 'STORE_LOCKED' }, 'a refused attempt does not loosen the lock');
  child.signal('SIGKILL');
  await child.exited;
  const store = await open();
  t.ok(store.status().revision > 1);
  await t.rejects(open(), { code: 'STORE_LOCKED' }, 'within one process too');
  await t.rejects(startWriters(t, dir, 1), { message: /STORE_LOCKED/ }, 'and the other way round');
  await store.close();
  await (await open()).close();
});

test('the checker sees a loss', (t) => {
  const item = (modRevision: number, value: string): StoredValue => {
    return { key: '/a', value: Buffer.from(value), createRevision: 2, modRevision };
  };
  const acknowledged = [{ key: '/a', revision: 5, fingerprint: fingerprint(Buffer.from('x')) }];
  t.strictSame(lostWrites([item(5, 'x')], acknowledged), []);
  t.strictSame(lostWrites([item(6, 'later')], acknowledged), []);
  t.equal(lostWrites([], acknowledged).length, 1);
  t.equal(lostWrites([item(4, 'x')], acknowledged).length, 1);
  t.equal(lostWrites([item(5, 'y')], acknowledged).length, 1);
  t.end();
});
