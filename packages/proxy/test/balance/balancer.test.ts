/** Picking: who is next, who is left out, what is counted. */

import { test } from 'tap';
import { seededRandom } from '@outrigger/core/clock';
import { Balancer } from '../../src/balance/index.ts';
import type { EndpointState, PickResult } from '../../src/balance/index.ts';
import type { Pool } from '../../src/plan/index.ts';
import { fakePool } from './pool.ts';

const CLIENT = '192.0.2.1';

function balancer(pool: Pool, seed = 1): Balancer {
  return new Balancer({ random: seededRandom(seed), pool, nowMs: 0 });
}

function state(pick: PickResult): EndpointState {
  if (typeof pick === 'string') throw new Error(`nobody to pick: ${pick}`);
  return pick;
}

/** The names picked by `count` connections that all stay open. */
function pickNames(balancer: Balancer, count: number): string {
  return Array.from({ length: count }, () => state(balancer.pick(0, CLIENT)).endpoint.address).join(' ');
}

test('round-robin takes each in turn', (t) => {
  const round = balancer(fakePool('a b c', { balancing: 'roundRobin' }));
  const names = pickNames(round, 6).split(' ');
  t.same(names.slice(0, 3).toSorted(), ['a', 'b', 'c']);
  t.same(names.slice(3), names.slice(0, 3));
  t.end();
});

test('round-robin begins elsewhere in each proxy', (t) => {
  const first = new Set(
    Array.from({ length: 20 }, (_, seed) =>
      pickNames(balancer(fakePool('a b c', { balancing: 'roundRobin' }), seed), 1),
    ),
  );
  t.same([...first].sort(), ['a', 'b', 'c']);
  t.end();
});

test('round-robin goes on where it was when endpoints come and go', (t) => {
  const round = balancer(fakePool('b d f', { balancing: 'roundRobin' }));
  while (pickNames(round, 1) !== 'b');
  round.update(fakePool('a b c d f', { balancing: 'roundRobin' }), 0);
  t.equal(pickNames(round, 3), 'd f a', 'the next one is still next');
  round.update(fakePool('a c d f', { balancing: 'roundRobin' }), 0);
  t.equal(pickNames(round, 1), 'c', 'its place is taken by its successor');
  round.update(fakePool('a', { balancing: 'roundRobin' }), 0);
  t.equal(pickNames(round, 2), 'a a');
  t.end();
});

test('least connections keeps the busiest and the idlest close', (t) => {
  const least = balancer(fakePool('a b c d e f g h'));
  for (let connection = 0; connection < 800; connection++) least.pick(0, CLIENT);
  const active = least.states().map((one) => one.active);
  t.ok(Math.max(...active) - Math.min(...active) <= 8, `spread of ${active.join(' ')}`);
  t.equal(
    active.reduce((sum, count) => sum + count),
    800,
  );
  t.equal(least.counters.active, 800);
  t.end();
});

test('least connections avoids an endpoint that holds on to its connections', (t) => {
  const least = balancer(fakePool('a b'));
  const slow = state(least.pick(0, CLIENT));
  for (let connection = 0; connection < 50; connection++) {
    const other = state(least.pick(0, CLIENT));
    t.not(other, slow);
    least.release(other);
  }
  t.end();
});

test('an endpoint is never tried twice for a connection', (t) => {
  for (const balancing of ['roundRobin', 'leastConnections'] as const) {
    const some = balancer(fakePool('a b c', { balancing }, 60));
    const tried = new Set<EndpointState>();
    for (let attempt = 0; attempt < 3; attempt++) {
      const next = state(some.pick(0, CLIENT, tried));
      t.notOk(tried.has(next));
      tried.add(next);
      some.dialFailed(next, 0, CLIENT);
      some.release(next);
    }
    t.equal(some.pick(0, CLIENT, tried), 'all-tried');
  }
  t.end();
});

test('without endpoints there is nobody', (t) => {
  t.equal(balancer(fakePool('')).pick(0, CLIENT), 'no-endpoints');
  t.end();
});

test('a full endpoint is passed over, a full port refuses', (t) => {
  for (const balancing of ['roundRobin', 'leastConnections'] as const) {
    const limited = balancer(fakePool('a b', { balancing, maxConnectionsPerEndpoint: 2, maxConnections: 5 }));
    t.same(pickNames(limited, 4).split(' ').toSorted(), ['a', 'a', 'b', 'b']);
    t.equal(limited.pick(0, CLIENT), 'endpoint-limit');
    const [first] = limited.states();
    if (first !== undefined) limited.release(first);
    t.equal(pickNames(limited, 1), first?.endpoint.address, 'a released place is taken again');
    limited.update(fakePool('a b c', { balancing, maxConnectionsPerEndpoint: 2, maxConnections: 5 }), 0);
    t.equal(pickNames(limited, 1), 'c');
    t.equal(limited.pick(0, CLIENT), 'total-limit');
  }
  t.end();
});

test('counts survive plan updates, and an endpoint that left is kept while it has connections', (t) => {
  const some = balancer(fakePool('a b', { balancing: 'roundRobin' }));
  pickNames(some, 4);
  const left = some.update(fakePool('b c', { balancing: 'roundRobin' }), 0);
  t.same(
    left.map((one) => [one.key, one.active, one.removed]),
    [['a:80', 2, true]],
  );
  t.same(
    some.states().map((one) => [one.key, one.active]),
    [
      ['b:80', 2],
      ['c:80', 0],
      ['a:80', 2],
    ],
  );
  const [draining] = left;
  if (draining === undefined) throw new Error('a should be draining');
  some.release(draining);
  t.same(some.update(fakePool('a b c', { balancing: 'roundRobin' }), 0), [], 'it comes back');
  t.match(some.states()[0], { key: 'a:80', active: 1, removed: false });
  some.update(fakePool('b c', { balancing: 'roundRobin' }), 0);
  some.release(draining);
  t.same(
    some.states().map((one) => one.key),
    ['b:80', 'c:80'],
    'and is forgotten with its last connection',
  );
  t.end();
});

test('an endpoint without connections is forgotten at once', (t) => {
  const some = balancer(fakePool('a b'));
  t.same(some.update(fakePool('b'), 0), []);
  t.same(
    some.states().map((one) => one.key),
    ['b:80'],
  );
  t.end();
});

test('the newest facts of an endpoint replace the older ones', (t) => {
  const some = balancer(fakePool('a'));
  const [before] = some.states();
  const pool = fakePool('a');
  some.update({ ...pool, endpoints: pool.endpoints.map((one) => ({ ...one, zone: 'z2' })) }, 0);
  t.equal(some.states()[0], before, 'the same state');
  t.equal(before?.endpoint.zone, 'z2');
  t.end();
});

test('releasing more often than picked is a broken promise', (t) => {
  const some = balancer(fakePool('a'));
  const picked = state(some.pick(0, CLIENT));
  some.release(picked);
  t.throws(() => some.release(picked), /released more often than picked/);
  t.end();
});
