/** Ejection: after how many failures, for how long, and never everyone. */

import { test } from 'tap';
import { seededRandom } from '@outrigger/core/clock';
import type { Random } from '@outrigger/core/clock';
import { Balancer, mayBeOut } from '../../src/balance/index.ts';
import type { EndpointState } from '../../src/balance/index.ts';
import type { TrafficSettings } from '../../src/plan/index.ts';
import { fakePool } from './pool.ts';

const CLIENT = '192.0.2.1';
/** No jitter. */
const STILL: Random = { next: () => 0 };

function create(names: string, settings: Partial<TrafficSettings> = {}, random: Random = STILL): Balancer {
  const pool = fakePool(names, { consecutiveFailures: 3, balancing: 'roundRobin', ...settings });
  return new Balancer({ random, pool, nowMs: 0 });
}

function stateOf(balancer: Balancer, name: string): EndpointState {
  const found = balancer.states().find((state) => state.endpoint.address === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}

function fail(balancer: Balancer, name: string, times: number, nowMs: number): boolean[] {
  return Array.from({ length: times }, () => balancer.dialFailed(stateOf(balancer, name), nowMs, CLIENT));
}

/** The endpoints that the next connections reach. */
function reached(balancer: Balancer, nowMs: number): string {
  const names = new Set<string>();
  for (let connection = 0; connection < 40; connection++) {
    const picked = balancer.pick(nowMs, CLIENT);
    if (typeof picked === 'string') return picked;
    names.add(picked.endpoint.address);
    balancer.release(picked);
  }
  return [...names].sort().join(' ');
}

test('so many failures in a row eject; a success in between starts over', (t) => {
  for (const balancing of ['roundRobin', 'leastConnections'] as const) {
    const some = create('a b c', { balancing }, seededRandom(3));
    t.same(fail(some, 'a', 2, 0), [false, false]);
    some.dialSucceeded(stateOf(some, 'a'), 0);
    t.same(fail(some, 'a', 3, 0), [false, false, true]);
    t.equal(reached(some, 1), 'b c');
    t.equal(some.counters.ejections, 1);
  }
  t.end();
});

test('0 never ejects', (t) => {
  const some = create('a b', { consecutiveFailures: 0 });
  fail(some, 'a', 50, 0);
  t.equal(reached(some, 0), 'a b');
  t.end();
});

test('the time doubles with each ejection in a row, up to the most', (t) => {
  const some = create('a b');
  let nowMs = 0;
  const lengths: number[] = [];
  fail(some, 'a', 2, nowMs);
  for (let round = 0; round < 6; round++) {
    t.same(fail(some, 'a', 1, nowMs), [true], 'after its return one failure is enough');
    const until = stateOf(some, 'a').ejectedUntilMs;
    lengths.push(until - nowMs);
    t.equal(reached(some, until - 1), 'b');
    t.equal(reached(some, until), 'a b', 'it returns by itself');
    nowMs = until;
  }
  t.same(lengths, [30_000, 60_000, 120_000, 240_000, 300_000, 300_000]);
  t.end();
});

test('one success after the return clears the count, lasting health the doubling', (t) => {
  const some = create('a b');
  fail(some, 'a', 3, 0);
  some.dialSucceeded(stateOf(some, 'a'), 30_001);
  t.same(fail(some, 'a', 3, 30_002), [false, false, true]);
  t.equal(stateOf(some, 'a').ejectedUntilMs, 30_002 + 60_000, 'it failed again too soon');
  some.dialSucceeded(stateOf(some, 'a'), 30_002 + 60_000 + 60_000);
  fail(some, 'a', 3, 200_000);
  t.equal(stateOf(some, 'a').ejectedUntilMs, 200_000 + 30_000, 'it had been well for long enough');
  t.end();
});

test('jitter shortens by up to a tenth', (t) => {
  const lengths = Array.from({ length: 50 }, (_, seed) => {
    const some = create('a b', {}, seededRandom(seed));
    fail(some, 'a', 3, 0);
    return stateOf(some, 'a').ejectedUntilMs;
  });
  t.ok(Math.min(...lengths) >= 27_000 && Math.max(...lengths) <= 30_000);
  t.ok(new Set(lengths).size > 40, 'proxies do not return in step');
  t.end();
});

test('a success while ejected brings it back at once', (t) => {
  const some = create('a b');
  fail(some, 'a', 3, 0);
  some.dialSucceeded(stateOf(some, 'a'), 5);
  t.equal(reached(some, 5), 'a b');
  t.end();
});

test('failures of dials begun before the ejection do not prolong it', (t) => {
  const some = create('a b c d');
  fail(some, 'a', 3, 0);
  t.same(fail(some, 'a', 5, 10), [false, false, false, false, false]);
  t.equal(stateOf(some, 'a').ejectedUntilMs, 30_000);
  t.equal(some.counters.ejections, 1);
  t.end();
});

test('only so many are out at a time, one as soon as there are two, never all', (t) => {
  const want: [number, number, number][] = [
    [0, 50, 0],
    [1, 100, 0],
    [2, 0, 1],
    [2, 100, 1],
    [3, 50, 1],
    [4, 50, 2],
    [10, 10, 1],
    [10, 99, 9],
    [10, 100, 9],
  ];
  for (const [members, percent, out] of want)
    t.equal(mayBeOut(members, percent), out, `${members} at ${percent} %`);
  const some = create('a b c d');
  for (const name of ['a', 'b', 'c', 'd']) fail(some, name, 3, 0);
  t.equal(reached(some, 0), 'c d');
  t.equal(some.counters.ejectionsWithheld, 2);
  t.same(fail(some, 'c', 1, 30_000), [true], 'a withheld one goes as soon as there is room');
  t.end();
});

test('when endpoints leave, ejected ones return until the limit holds', (t) => {
  const some = create('a b c d');
  fail(some, 'a', 3, 0);
  fail(some, 'b', 3, 10);
  t.equal(reached(some, 20), 'c d');
  some.update(fakePool('a b'), 20);
  t.equal(reached(some, 20), 'a', 'the one that was due soonest');
  some.update(fakePool('b'), 20);
  t.equal(reached(some, 20), 'b');
  t.end();
});

test('an ejected endpoint is tried when every other has failed the connection', (t) => {
  const some = create('a b');
  fail(some, 'a', 3, 0);
  const tried = new Set([stateOf(some, 'b')]);
  t.equal(some.pick(1, CLIENT, tried), stateOf(some, 'a'));
  tried.add(stateOf(some, 'a'));
  t.equal(some.pick(1, CLIENT, tried), 'all-tried');
  t.end();
});

test('an endpoint that left and came back starts afresh', (t) => {
  const some = create('a b');
  some.pick(0, CLIENT);
  some.pick(0, CLIENT);
  fail(some, 'a', 3, 0);
  some.update(fakePool('b'), 0);
  some.update(fakePool('a b'), 0);
  t.match(stateOf(some, 'a'), { active: 1, failures: 0, ejectedUntilMs: 0 });
  t.end();
});

test('failures of an endpoint that has left eject nobody', (t) => {
  const some = create('a b c');
  for (let pick = 0; pick < 3; pick++) some.pick(0, CLIENT);
  const gone = stateOf(some, 'a');
  some.update(fakePool('b c'), 0);
  for (let failure = 0; failure < 9; failure++) t.notOk(some.dialFailed(gone, 0, CLIENT));
  t.equal(some.counters.ejections, 0);
  t.end();
});
