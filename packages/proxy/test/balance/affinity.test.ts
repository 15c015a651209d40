/** ClientIP affinity: who stays, for how long, and what ends it. */

import { test } from 'tap';
import { seededRandom } from '@outrigger/core/clock';
import { Balancer } from '../../src/balance/index.ts';
import type { EndpointState } from '../../src/balance/index.ts';
import type { TrafficSettings } from '../../src/plan/index.ts';
import { fakePool } from './pool.ts';

const SECONDS = 10;

class Clients {
  readonly balancer: Balancer;
  nowMs = 0;

  constructor(
    names = 'a b c d e f g h',
    settings: Partial<TrafficSettings> = {},
    maxAffinityClients?: number,
  ) {
    this.balancer = new Balancer({
      random: seededRandom(7),
      pool: fakePool(names, settings, SECONDS),
      nowMs: 0,
      ...(maxAffinityClients === undefined ? {} : { maxAffinityClients }),
    });
  }

  /** One connection that ends at once; the endpoint it reached. */
  connect(client: string): EndpointState {
    const picked = this.balancer.pick(this.nowMs, client);
    if (typeof picked === 'string') throw new Error(picked);
    this.balancer.release(picked);
    return picked;
  }

  /** Distinct endpoints that `count` connections reach. */
  spread(client: string, count = 40): number {
    return new Set(Array.from({ length: count }, () => this.connect(client))).size;
  }
}

test('a client stays with its endpoint, others go where they like', (t) => {
  const clients = new Clients();
  t.equal(clients.spread('192.0.2.1'), 1);
  const reached = new Set(Array.from({ length: 40 }, (_, index) => clients.connect(`192.0.2.${index}`)));
  t.equal(reached.size, 8);
  t.equal(clients.balancer.counters.affinityEntries, 40);
  t.end();
});

test('every new connection refreshes the timeout; silence ends it', (t) => {
  const clients = new Clients();
  const first = clients.connect('192.0.2.1');
  for (let visit = 0; visit < 5; visit++) {
    clients.nowMs += 9_999;
    t.equal(clients.connect('192.0.2.1'), first);
  }
  const later = new Set<EndpointState>();
  for (let visit = 0; visit < 40; visit++) {
    clients.nowMs += 10_000;
    later.add(clients.connect('192.0.2.1'));
  }
  t.ok(later.size > 1, 'after the timeout it may go anywhere');
  t.end();
});

test('an endpoint that leaves frees its clients, also when it comes back', (t) => {
  const clients = new Clients('a');
  const gone = clients.connect('192.0.2.1');
  clients.balancer.pick(0, '192.0.2.9');
  clients.balancer.update(fakePool('b c d e f g h', {}, SECONDS), 0);
  const next = clients.connect('192.0.2.1');
  t.not(next, gone);
  clients.balancer.update(fakePool('a b c d e f g h', {}, SECONDS), 0);
  t.equal(clients.connect('192.0.2.1'), next, 'it has a new home');
  const others = new Set<EndpointState>();
  for (let index = 0; index < 20; index++) {
    clients.balancer.update(fakePool('b c d e f g h', {}, SECONDS), 0);
    clients.balancer.update(fakePool('a b c d e f g h', {}, SECONDS), 0);
    others.add(clients.connect('192.0.2.9'));
  }
  t.ok(others.size < 3, 'and a client of the returned endpoint was free to settle again');
  t.end();
});

test('the old life of an endpoint does not bind clients to its new one', (t) => {
  const clients = new Clients('a');
  const held = clients.balancer.pick(0, '192.0.2.1');
  t.type(held, 'object');
  clients.balancer.update(fakePool('', {}, SECONDS), 0);
  const names = 'a b c d e f g h i j k l m n o p';
  clients.balancer.update(fakePool(names, { balancing: 'roundRobin' }, SECONDS), 0);
  const reached = Array.from({ length: 3 }, (_, index) => clients.connect(`198.51.100.${index}`).key);
  t.not(clients.connect('192.0.2.1').key, 'a:80', 'it takes its turn instead');
  t.equal(new Set(reached).size, 3);
  t.end();
});

test('a failed dial frees the client', (t) => {
  const clients = new Clients('a b');
  const first = clients.connect('192.0.2.1');
  clients.balancer.dialFailed(first, 0, '192.0.2.1');
  const tried = new Set([first]);
  const second = clients.balancer.pick(0, '192.0.2.1', tried);
  t.not(second, first);
  t.equal(clients.connect('192.0.2.1'), second, 'and it stays where it went instead');
  t.end();
});

test('the next connection of a client whose dial failed goes elsewhere', (t) => {
  const clients = new Clients('a b', { balancing: 'roundRobin' });
  const first = clients.connect('192.0.2.1');
  clients.balancer.dialFailed(first, 0, '192.0.2.1');
  t.not(clients.connect('192.0.2.1'), first);
  t.end();
});

test("another client's failure does not", (t) => {
  const clients = new Clients();
  const mine = clients.connect('192.0.2.1');
  clients.balancer.dialFailed(mine, 0, '192.0.2.2');
  t.equal(clients.connect('192.0.2.1'), mine);
  t.end();
});

test('an ejected or full endpoint is left, even by its clients', (t) => {
  const ejected = new Clients('a b', { consecutiveFailures: 1 });
  const first = ejected.connect('192.0.2.1');
  t.ok(ejected.balancer.dialFailed(first, 0, '192.0.2.2'));
  t.not(ejected.connect('192.0.2.1'), first);
  const full = new Clients('a b', { maxConnectionsPerEndpoint: 1 });
  const held = full.balancer.pick(0, '192.0.2.1');
  t.not(full.connect('192.0.2.1'), held);
  t.end();
});

test('the table is bounded: the client unseen for longest is forgotten, counted', (t) => {
  const clients = new Clients('a b c d e f g h', { balancing: 'roundRobin' }, 3);
  const homes = ['1', '2', '3'].map((client) => clients.connect(client).key);
  t.equal(clients.connect('1').key, homes[0], 'refreshed: now 2 is the oldest');
  clients.connect('4');
  t.equal(clients.balancer.counters.affinityEvictions, 1);
  t.equal(clients.balancer.counters.affinityEntries, 3);
  t.equal(clients.connect('1').key, homes[0]);
  t.not(clients.connect('2').key, homes[1], 'round-robin gave it another');
  t.end();
});

test('expired clients leave the table as others come', (t) => {
  const clients = new Clients();
  for (let index = 0; index < 100; index++) clients.connect(`192.0.2.${index}`);
  clients.nowMs = 60_000;
  for (let index = 0; index < 30; index++) clients.connect('198.51.100.1');
  t.equal(clients.balancer.counters.affinityEntries, 1);
  t.end();
});

test('switching affinity off forgets everyone', (t) => {
  const clients = new Clients();
  clients.connect('192.0.2.1');
  clients.balancer.update(fakePool('a b c d e f g h'), 0);
  t.equal(clients.balancer.counters.affinityEntries, 0);
  t.ok(clients.spread('192.0.2.1') > 1);
  t.end();
});
