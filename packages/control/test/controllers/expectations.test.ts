/** Waiting for one's own writes: what counts as seen, in which order it may come, and when waiting ends. */

import { FakeClock } from '@outrigger/core/clock';
import { test } from 'tap';
import { Expectations } from '../../src/controllers/expectations.ts';

test('a write is waited for until its revision, or a later one, is shown', async (t) => {
  const expectations = new Expectations(new FakeClock(), 1_000);
  expectations.wrote('svc', 'ns/a', 7, undefined);
  t.ok(expectations.pending('svc'));
  t.notOk(expectations.pending('other'));
  expectations.seen('ns/a', 6);
  t.ok(expectations.pending('svc'), 'an older state');
  expectations.seen('ns/b', 9);
  t.ok(expectations.pending('svc'), 'another object');
  expectations.seen('ns/a', 8);
  t.notOk(expectations.pending('svc'));
});

test('a write that was shown before it was acknowledged is not waited for', async (t) => {
  const expectations = new Expectations(new FakeClock(), 1_000);
  expectations.wrote('svc', 'ns/a', 7, 7);
  expectations.removed('svc', 'ns/b', undefined);
  t.notOk(expectations.pending('svc'));
});

test('all writes of one work are waited for; disappearing settles any of them', async (t) => {
  const expectations = new Expectations(new FakeClock(), 1_000);
  expectations.wrote('svc', 'ns/a', 7, 3);
  expectations.removed('svc', 'ns/b', 4);
  expectations.seen('ns/b', 4);
  expectations.seen('ns/a', 7);
  t.ok(expectations.pending('svc'), 'a removal is not settled by a state');
  expectations.gone('ns/b');
  t.notOk(expectations.pending('svc'));
  expectations.wrote('svc', 'ns/c', 9, undefined);
  expectations.gone('ns/c');
  t.notOk(expectations.pending('svc'), 'someone removed what was written');
});

test('a newer write of the same object replaces the older', async (t) => {
  const expectations = new Expectations(new FakeClock(), 1_000);
  expectations.wrote('svc', 'ns/a', 7, undefined);
  expectations.wrote('svc', 'ns/a', 9, undefined);
  expectations.seen('ns/a', 7);
  t.ok(expectations.pending('svc'));
  expectations.seen('ns/a', 9);
  t.notOk(expectations.pending('svc'));
});

test('waiting ends', async (t) => {
  const clock = new FakeClock();
  const expectations = new Expectations(clock, 1_000);
  expectations.wrote('svc', 'ns/a', 7, undefined);
  await clock.advance(999);
  t.ok(expectations.pending('svc'));
  await clock.advance(1);
  t.notOk(expectations.pending('svc'));
});
