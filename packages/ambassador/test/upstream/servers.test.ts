import { test } from 'tap';
import { defaultLimits } from '../../src/daemon/limits.ts';
import type { Line } from '../../src/upstream/line.ts';
import { nobody, Run } from '../../src/upstream/run.ts';
import { serverAt } from '../../src/upstream/server.ts';
import { Servers } from '../../src/upstream/servers.ts';
import { FakeWires, identity, server } from './fake-wire.ts';

class House {
  nowMs = 0;
  readonly wires = new FakeWires();
  readonly lost: string[] = [];
  readonly servers: Servers;

  constructor(limits: Partial<typeof defaultLimits> = {}) {
    this.servers = new Servers({
      openWire: this.wires.openWire,
      soon: () => {},
      now: () => this.nowMs,
      limits: { ...defaultLimits, ...limits },
      onLost: (line, { why }, was) => this.lost.push(`${line.server.name} ${was}: ${why}`),
      onErrorReply: () => {},
    });
  }

  line(database = 0, lane: 'main' | 'script' = 'main'): Line | undefined {
    return this.servers.line(server, { ...identity, database }, lane, false);
  }

  lend(database = 0): Line {
    return this.servers.lend(server, { ...identity, database }, false) as Line;
  }

  counts() {
    return [...this.servers.counts()].map(({ lines, leases, idle }) => [lines, leases, idle]);
  }
}

test('sessions alike share a line; another identity or lane has its own', async (t) => {
  const house = new House();
  const line = house.line();
  t.equal(house.line(), line);
  t.not(house.line(1), line);
  t.not(house.line(0, 'script'), line);
  t.equal(house.servers.openLine(server.name, identity, 'main'), undefined, 'it is opening');
  house.wires.all[0]?.open();
  t.equal(house.servers.openLine(server.name, identity, 'main'), line);
  t.strictSame(house.counts(), [[3, 0, 0]]);
});

test('at the limit an idle line makes room, a busy one does not', async (t) => {
  const house = new House({ maxLinesPerServer: 1 });
  const line = house.line() as Line;
  house.wires.last.open();
  line.send(new Run(nobody, line), Buffer.from('a'), 1);
  t.equal(house.line(1), undefined);
  line.flush();
  house.wires.last.answer('+OK\r\n');
  t.ok(house.line(1));
  t.equal(line.state, 'closed');
});

test('a line that was closed by who found it useless is not handed out again', async (t) => {
  const house = new House();
  const line = house.line() as Line;
  house.wires.last.open();
  line.close('it says it is a replica');
  const next = house.line();
  t.not(next, line);
  t.equal(house.line(), next);
});

test('a server out of reach is not tried again for a moment, by who has no line', async (t) => {
  const house = new House({ failFastMs: 100 });
  house.line();
  house.wires.last.open();
  house.line(1);
  house.wires.last.events.lost({ why: 'ERR max number of clients reached', error: undefined });
  t.strictSame(house.lost, [`${server.name} opening: ERR max number of clients reached`]);
  const why = (database: number, lane: 'main' | 'own' = 'main'): string | undefined =>
    house.servers.whyDown(server, { ...identity, database }, lane);
  t.match(why(1), /max number of clients/);
  t.match(why(0, 'own'), /max number of clients/);
  t.equal(why(0), undefined, 'who has a line goes on');
  house.nowMs = 100;
  t.equal(why(1), undefined);
});

test('a refused login says nothing about the server', async (t) => {
  const house = new House();
  house.line(9);
  house.wires.last.events.lost({ why: 'it refused SELECT 9', error: 'ERR DB index is out of range' });
  t.equal(house.servers.whyDown(server, { ...identity, database: 1 }, 'main'), undefined);
});

test('a clean lease is lent again, to who is alike, the last first', async (t) => {
  const house = new House({ maxIdleLeases: 2 });
  const leases = [house.lend(), house.lend(), house.lend()] as const;
  for (const wire of house.wires.all) wire.open();
  for (const lease of leases) house.servers.giveBack(lease);
  t.equal(leases[0].state, 'closed', 'more idle than allowed');
  t.strictSame(house.counts(), [[0, 0, 2]]);
  t.not(house.lend(1), leases[2]);
  t.equal(house.lend(), leases[2]);
  t.equal(house.lend(), leases[1]);
});

test('what a session left in a lease ends with it', async (t) => {
  const house = new House();
  for (const spoil of [
    (line: Line) => (line.dirty = true),
    (line: Line) => line.send(new Run(nobody, line), Buffer.from('a'), 1),
    (line: Line) => (line.full = true),
  ]) {
    const lease = house.lend();
    house.wires.last.open();
    spoil(lease);
    house.servers.giveBack(lease);
    t.equal(lease.state, 'closed');
  }
  t.strictSame(house.counts(), [[0, 0, 0]]);
});

test('no more leases than allowed; who waits is told when one is free', async (t) => {
  const house = new House({ maxLeasesPerServer: 1 });
  const lease = house.lend();
  t.equal(house.servers.lend(server, identity, false), undefined);
  let told = 0;
  house.servers.queue(server).add({ lineChanged: () => void told++ });
  house.servers.giveBack(lease);
  t.equal(told, 1);
  t.ok(house.lend());
});

test('drop and close end everything at a server, retain what is not configured any longer', async (t) => {
  const house = new House();
  const other = serverAt({ kind: 'tcp', host: '10.0.0.2', port: 6379 });
  const there = house.servers.line(other, identity, 'main', false) as Line;
  house.wires.last.open();
  const here = [house.line() as Line, house.lend()];
  house.servers.retain(new Set([server.name]));
  t.strictSame([there.state, ...here.map(({ state }) => state)], ['closed', 'opening', 'opening']);
  house.servers.drop(server.name, 'it is not the primary any longer');
  t.ok(here.every(({ state }) => state === 'closed'));
  house.servers.drop('nobody', 'unknown');
  const again = house.line() as Line;
  house.servers.close();
  t.equal(again.state, 'closed');
});

test('a server that is gone is forgotten once nothing is open there', async (t) => {
  const house = new House();
  const none = new Set<string>();
  const busy = house.line() as Line;
  const lent = house.lend();
  for (const wire of house.wires.all) wire.open();
  busy.send(new Run(nobody, busy), Buffer.from('a'), 1);
  busy.flush();
  house.servers.retain(none);
  t.equal(busy.state, 'open', 'it is owed an answer');
  t.strictSame(house.counts(), [[0, 1, 0]]);
  house.wires.all[0]?.answer('+OK\r\n');
  t.equal(busy.state, 'closed');
  house.servers.giveBack(lent);
  t.strictSame(house.counts(), [[0, 0, 1]]);
  t.ok(house.servers.has(server.name));
  house.servers.retain(none);
  t.equal(lent.state, 'closed');
  t.notOk(house.servers.has(server.name));
  for (let i = 0; i < 100; i++) {
    house.servers.line(serverAt({ kind: 'tcp', host: `10.0.1.${i}`, port: 6379 }), identity, 'main', false);
    house.servers.retain(none);
  }
  t.strictSame(house.counts(), []);
});

test('what is lent at a server that is not ours any longer ends after a time, unless it is ours again', async (t) => {
  const house = new House({ removedServerMs: 100 });
  const [none, ours] = [new Set<string>(), new Set([server.name])];
  const told: string[] = [];
  const line = house.lend();
  house.wires.last.open();
  line.wait({ lineChanged: ({ state }) => told.push(state) });
  house.servers.retain(none);
  house.nowMs = 99;
  house.servers.retain(none);
  t.equal(line.state, 'open', 'it may finish what it has begun');
  house.servers.retain(ours);
  house.nowMs = 198;
  house.servers.retain(none);
  t.equal(line.state, 'open', 'the time begins anew');
  house.nowMs = 298;
  house.servers.retain(none);
  t.equal(line.state, 'closed');
  t.strictSame(told, ['closed'], 'and its session is told');
  house.servers.giveBack(line);
  house.servers.retain(none);
  t.notOk(house.servers.has(server.name));
});

test('a deposed primary loses the line that was left to one session too', async (t) => {
  const house = new House();
  const line = house.line() as Line;
  house.wires.last.open();
  line.send(new Run(nobody, line), Buffer.from('a'), 1);
  house.servers.leave(line);
  house.servers.drop(server.name, 'it is not the primary any longer');
  t.equal(line.state, 'closed');
});

test('who is parted from is sent nothing more, and answers what it was sent', async (t) => {
  const house = new House();
  const shared = house.line() as Line;
  const [owes, idle] = [house.lend(), house.lend()];
  for (const wire of house.wires.all) wire.open();
  for (const line of [shared, owes]) line.send(new Run(nobody, line), Buffer.from('a'), 1);
  shared.flush();
  const why = 'it is not the primary any longer';
  t.strictSame(house.servers.partFrom(server.name, why), [shared, owes]);
  t.equal(idle.state, 'closed', 'it owes nothing');
  t.not(house.line(), shared);
  house.servers.giveBack(owes);
  t.equal(owes.state, 'closed', 'nobody else gets it');
  house.wires.all[0]?.answer('+OK\r\n');
  t.equal(shared.state, 'closed');
  t.strictSame(house.servers.partFrom('nobody:1', why), []);
});

test('a line that is left to one session ends once it has answered; the others get a new one', async (t) => {
  const house = new House();
  const line = house.line() as Line;
  house.wires.last.open();
  line.send(new Run(nobody, line), Buffer.from('a'), 1);
  line.flush();
  house.servers.leave(line);
  t.not(house.line(), line);
  t.equal(line.state, 'open');
  house.wires.all[0]?.answer('+OK\r\n');
  t.equal(line.state, 'closed');
});

test('a lease that nobody has wanted for long is closed', async (t) => {
  const house = new House({ leaseIdleMs: 100 });
  const lease = house.lend();
  house.wires.last.open();
  house.servers.giveBack(lease);
  t.equal(house.servers.sweep(50), true);
  t.equal(lease.state, 'open');
  t.equal(house.servers.sweep(200), false);
  t.equal(lease.state, 'closed');
});
