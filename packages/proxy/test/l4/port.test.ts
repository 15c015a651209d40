import { FakeClock } from '@outrigger/core/clock';
import { systemNet } from '@outrigger/core/net';
import { eventually } from '@outrigger/core/testing';
import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import { test } from 'tap';
import { firstSyncWaitMs } from '../../src/l4/index.ts';
import { backend, deadPort, exchange, fixture, poolOf } from './fixture.ts';

const answer = (text: string) => (socket: Socket) => void socket.on('end', () => socket.end(text)).resume();

test('a refused dial goes to the next endpoint, and no endpoint is tried twice for one connection', async (t) => {
  const good = await backend(t, answer('good'));
  const dead = [await deadPort(), await deadPort()];
  const { number, page, settled } = await fixture(
    t,
    poolOf([...dead, good.port], { consecutiveFailures: 0, balancing: 'roundRobin' }),
  );
  for (let i = 0; i < 9; i++) t.equal(await exchange(number, ''), 'good');
  await settled();
  const refused = Number(/reason="dial-refused"\} (\d+)/.exec(await page())?.[1]);
  t.ok(
    refused >= 9 && refused <= 18,
    `each dead endpoint at most once per connection: ${refused} refused dials for 9 connections`,
  );
});

test('when every endpoint fails the client is reset and the reason counted', async (t) => {
  const { number, page, settled } = await fixture(t, poolOf([await deadPort(), await deadPort()]));
  await t.rejects(exchange(number, ''), { code: 'ECONNRESET' });
  await settled();
  const text = await page();
  t.match(text, /reason="dial-refused"\} 2\n/);
  t.match(text, /reason="all-tried"\} 1\n/);
});

test('no endpoints: an immediate reset, counted', async (t) => {
  const { number, page } = await fixture(t, poolOf([]));
  await t.rejects(exchange(number, ''), { code: 'ECONNRESET' });
  t.match(await page(), /reason="no-endpoints"\} 1\n/);
});

test('connections before the first sync wait for it', async (t) => {
  const good = await backend(t, answer('late but whole'));
  const { number, port } = await fixture(t, undefined);
  const early = exchange(number, 'early');
  await eventually('accepted', () => port.connections.size === 1);
  t.equal(good.accepted(), 0);
  port.update(poolOf([good.port]));
  t.equal(await early, 'late but whole');
});

test('a first sync that does not come within its time resets the waiting connections', async (t) => {
  const clock = new FakeClock();
  const { number, port, page } = await fixture(t, undefined, { clock });
  const early = exchange(number, '').catch((error: unknown) => error);
  await eventually('accepted', () => port.connections.size === 1);
  await clock.advance(firstSyncWaitMs - 1);
  t.equal(port.connections.size, 1);
  await clock.advance(1);
  t.match(await early, { code: 'ECONNRESET' });
  const text = await page();
  t.match(text, /reason="not-synced"\} 1\n/);
  t.match(text, /outrigger_proxy_connections_waiting\{[^}]*\} 0\n/);
});

test('an endpoint that accepts and hangs up is ejected after so many in a row; the client sees it meanwhile', async (t) => {
  const liar = await backend(t, (socket) => void socket.end().resume());
  const good = await backend(t, answer('good'));
  const { number, ejected, settled } = await fixture(
    t,
    poolOf([liar.port, good.port], { consecutiveFailures: 2, balancing: 'roundRobin' }),
  );
  for (let i = 1; i <= 4; i++) {
    const socket = connect({ port: number, host: '127.0.0.1', allowHalfOpen: true }).resume();
    const met = good.accepted();
    await eventually('hung up on, or with the good one', () => socket.readableEnded || good.accepted() > met);
    socket.end();
    await once(socket, 'close');
    await settled();
  }
  t.same(ejected, [`127.0.0.1:${liar.port}`]);
  const before = liar.accepted();
  for (let i = 0; i < 6; i++) t.equal(await exchange(number, ''), 'good');
  t.equal(liar.accepted(), before, 'left alone while ejected');
});

test('an endpoint that tires of a client which asks nothing is not to blame', async (t) => {
  const clock = new FakeClock();
  const tidy = await backend(t, (socket) => void socket.resume());
  const { number, ejected, page, settled } = await fixture(
    t,
    poolOf([tidy.port], { consecutiveFailures: 1 }),
    {
      clock,
    },
  );
  const socket = connect(number, '127.0.0.1').resume();
  await eventually('relayed', () => tidy.sockets.size === 1);
  await eventually('connected on both sides', () => clock.pending === 1);
  await clock.advance(1500);
  for (const open of tidy.sockets) open.end();
  await once(socket, 'close');
  await settled();
  t.same(ejected, []);
  t.notMatch(await page(), /upstream-no-answer/);
});

test('what this process runs out of is no endpoint’s failure', async (t) => {
  const system = systemNet();
  const refuse: typeof system.connect = () => {
    const socket = new Socket();
    process.nextTick(() => socket.destroy(Object.assign(new Error('EMFILE'), { code: 'EMFILE' })));
    return socket;
  };
  const { number, ejected, page } = await fixture(t, poolOf([9, 10], { consecutiveFailures: 1 }), {
    net: { ...system, connect: refuse },
  });
  await t.rejects(exchange(number, ''), { code: 'ECONNRESET' });
  t.same(ejected, []);
  t.match(await page(), /reason="local-resources"\} 2\n/);
});

test('a dial that never completes times out and the next endpoint answers', async (t) => {
  const clock = new FakeClock();
  const good = await backend(t, answer('good'));
  const system = systemNet();
  const silent = 9;
  const net = {
    ...system,
    connect: ((address, options) =>
      address.kind === 'tcp' && address.port === silent
        ? new Socket()
        : system.connect(address, options)) as typeof system.connect,
  };
  const { number, page, settled, port } = await fixture(
    t,
    poolOf([silent, good.port], { balancing: 'roundRobin', connectTimeoutMs: 700 }),
    { clock, net },
  );
  const answers = [exchange(number, ''), exchange(number, '')];
  await eventually('both picked', () => port.balancer.states().every((state) => state.picked > 0));
  await clock.advance(700);
  t.same(await Promise.all(answers), ['good', 'good']);
  await settled();
  t.match(await page(), /reason="dial-timeout"\} 1\n/);
});

test('a client that leaves during the dial leaves nothing behind', async (t) => {
  const { number, settled, port } = await fixture(t, poolOf([9]), {
    net: { ...systemNet(), connect: () => new Socket() },
  });
  const client = connect(number, '127.0.0.1');
  await once(client, 'connect');
  await eventually('dialling', () => port.balancer.counters.active === 1);
  client.resetAndDestroy();
  await settled();
  t.equal(port.balancer.counters.active, 0);
});

test('an idle connection ends after its time; traffic keeps it open', async (t) => {
  const clock = new FakeClock();
  const echo = await backend(t, (socket) => void socket.pipe(socket));
  const { number, page, settled } = await fixture(t, poolOf([echo.port], { idleTimeoutMs: 10_000 }), {
    clock,
  });
  const client = connect(number, '127.0.0.1');
  const say = async (): Promise<void> => {
    client.write('ping');
    await once(client, 'data');
  };
  await say();
  await clock.advance(8000);
  await say();
  await clock.advance(8000);
  await say();
  t.notOk(client.destroyed);
  const ended = once(client, 'end');
  await clock.advance(12_000);
  await ended;
  await settled();
  t.match(await page(), /reason="idle"\} 1\n/);
});

test('connection limits: in total and per endpoint', async (t) => {
  const hold = await backend(t, () => {});
  const other = await backend(t, () => {});
  const { number, page, port } = await fixture(t, poolOf([hold.port], { maxConnections: 2 }));
  const clients = [connect(number, '127.0.0.1'), connect(number, '127.0.0.1')];
  await eventually('two open', () => hold.sockets.size === 2);
  await t.rejects(exchange(number, ''), { code: 'ECONNRESET' });
  t.match(await page(), /reason="total-limit"\} 1\n/);
  port.update(poolOf([hold.port, other.port], { maxConnections: 0, maxConnectionsPerEndpoint: 2 }));
  clients.push(connect(number, '127.0.0.1'), connect(number, '127.0.0.1'));
  await eventually('the other one takes them', () => other.sockets.size === 2);
  await t.rejects(exchange(number, ''), { code: 'ECONNRESET' });
  t.match(await page(), /reason="endpoint-limit"\} 1\n/);
  for (const client of clients) client.destroy();
});

test('a removed endpoint gets no new connection and keeps its old ones', async (t) => {
  const old = await backend(t, (socket) => void socket.pipe(socket));
  const fresh = await backend(t, answer('fresh'));
  const { number, port } = await fixture(t, poolOf([old.port]));
  const client = connect(number, '127.0.0.1');
  client.write('a');
  await once(client, 'data');
  const left = port.update(poolOf([fresh.port]));
  t.same(
    left.map((state) => state.key),
    [`127.0.0.1:${old.port}`],
  );
  t.equal(await exchange(number, ''), 'fresh');
  client.write('still there?');
  t.equal(String(((await once(client, 'data')) as [Buffer])[0]), 'still there?');
  client.destroy();
});

test('session affinity keeps a client with its endpoint', async (t) => {
  const servers = await Promise.all(['a', 'b', 'c'].map((name) => backend(t, answer(name))));
  const { number } = await fixture(
    t,
    poolOf(
      servers.map((server) => server.port),
      {},
      60,
    ),
  );
  const answers = new Set<string>();
  for (let i = 0; i < 12; i++) answers.add(await exchange(number, ''));
  t.equal(answers.size, 1);
});

test('draining: no new connections, idle ones are ended, busy ones finish', async (t) => {
  const clock = new FakeClock();
  const echo = await backend(t, (socket) => void socket.pipe(socket));
  const { number, port, sweeper } = await fixture(t, poolOf([echo.port]), { clock });
  const client = connect(number, '127.0.0.1');
  client.write('x');
  await once(client, 'data');
  port.stopAccepting();
  sweeper.drain();
  const empty = port.empty();
  await t.rejects(exchange(number, ''), { code: 'ECONNREFUSED' });
  const ended = once(client, 'end');
  await clock.advance(4000);
  await ended;
  await empty;
  t.equal(port.connections.size, 0);
});
