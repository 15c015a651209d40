import { seededRandom } from '@outrigger/core/clock';
import { Backoff } from '../../../src/watch/reflector/backoff.ts';
import { isOlder } from '../../../src/watch/reflector/revision.ts';
import { test } from 'tap';

const minute = 60_000;

test('waits from 0.8 s to 30 s, doubling, spread', (t) => {
  for (let seed = 0; seed < 50; seed++) {
    const backoff = new Backoff(seededRandom(seed));
    let now = 0;
    const delays = Array.from({ length: 9 }, () => {
      const delay = backoff.next(now);
      now += delay;
      return delay;
    });
    const bases = [800, 1_600, 3_200, 6_400, 12_800, 20_000, 20_000, 20_000, 20_000];
    delays.forEach((delay, i) => {
      t.ok(delay >= bases[i]! && delay <= bases[i]! * 1.5, `seed ${seed}: try ${i} waits ${delay}`);
    });
    t.ok(Math.max(...delays) <= 30_000);
  }
  const first = [1, 2, 3].map((seed) => new Backoff(seededRandom(seed)).next(0));
  t.equal(new Set(first).size, 3, 'not in step');
  t.end();
});

test('begins anew after two minutes of health, not before', (t) => {
  const backoff = new Backoff(seededRandom(1));
  let now = 0;
  for (let i = 0; i < 6; i++) now += backoff.next(now);
  t.ok(backoff.next(now + 1 * minute) >= 20_000);
  now += 30_000 + 1 * minute;
  t.ok(backoff.next(now + 2 * minute) < 1_200);
  t.end();
});

test('waits as long as the server asks, within reason', (t) => {
  const backoff = new Backoff(seededRandom(1));
  const asked = backoff.next(0, { retryAfterMs: 5_000 });
  t.ok(asked >= 5_000 && asked <= 5_500);
  t.ok(backoff.next(0, { retryAfterMs: 1e9 }) <= 66_000);
  t.end();
});

test('another URL is tried soon and costs no patience', (t) => {
  const backoff = new Backoff(seededRandom(1));
  t.ok(backoff.next(0, { failover: true }) <= 250);
  t.equal(backoff.tries, 0);
  t.end();
});

test('revisions compare as numbers, and not at all where they are none', (t) => {
  t.ok(isOlder('9', '10'));
  t.notOk(isOlder('10', '9'));
  t.notOk(isOlder('10', '10'));
  t.ok(isOlder('9007199254740993', '9007199254740994'), 'beyond 2^53');
  t.notOk(isOlder('abc', '10'));
  t.notOk(isOlder(undefined, '10'));
  t.notOk(isOlder('1', undefined));
  t.end();
});
