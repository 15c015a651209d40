import { FakeClock } from '@outrigger/core/clock';
import { eventually, MemoryNet, testDeps } from '@outrigger/core/testing';
import type { MetricFamily } from '@outrigger/core/exposition';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { existsSync, linkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'tap';
import type { Test } from 'tap';
import { tempDir } from '../../../../test/harness/index.ts';
import { udpStateIn } from '../../src/statsd/kernel-drops.ts';
import { setWindowMs } from '../../src/statsd/sets.ts';
import { startStatsd } from '../../src/statsd/statsd.ts';
import type { StatsdConfig } from '../../src/statsd/statsd.ts';
import { FakeStore } from './fake-store.ts';

const anywhere = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;

const off: StatsdConfig = {
  udp: undefined,
  tcp: undefined,
  unix: undefined,
  receiveBufferBytes: 1 << 20,
  maxConnections: 10,
  maxLineLength: 65_536,
  cacheSize: 1000,
  tagStyles: ['dogstatsd', 'influxdb', 'librato', 'signalfx'],
  containerId: false,
  mappingFile: undefined,
  mapping: undefined,
  timerBuckets: [0.1, 1],
};

async function started(t: Test, config: Partial<StatsdConfig>, deps = testDeps()) {
  const store = new FakeStore();
  const statsd = await startStatsd({ ...off, ...config }, store, deps);
  t.teardown(() => statsd.close());
  const shows = (...lines: string[]) =>
    eventually(`the store has ${lines.join(', ')}`, () =>
      lines.every((line) => store.lines().includes(line)) ? true : undefined,
    );
  const families = async () =>
    new Map((await statsd.collect()).map((family) => [family.name.slice(25), family]));
  return { statsd, store, deps, shows, families };
}

function valueOf(family: MetricFamily | undefined, label?: string): number | undefined {
  return family?.samples.find(({ labels }) => label === undefined || labels[0]?.[1] === label)?.value;
}

function portOf(name: string | undefined): number {
  return Number(name?.split(':').at(-1));
}

function udpClient(t: Test, name: string | undefined) {
  const socket = dgram.createSocket('udp4');
  t.teardown(() => socket.close());
  return (text: string | Buffer) =>
    new Promise<void>((resolve) => socket.send(text, portOf(name), '127.0.0.1', () => resolve()));
}

test('UDP: datagrams of many lines, up to what IP can carry; what the socket is like is told', async (t) => {
  const { statsd, shows, families } = await started(t, { udp: anywhere });
  const send = udpClient(t, statsd.addresses['statsd-udp']);
  await send('a:1|c\nb:2|g\n');
  const most = 65_507;
  const line = 'big.counter:1|c\n';
  const count = Math.floor(most / line.length);
  await send(line.repeat(count));
  await shows('a 1', 'b 2', `big_counter ${count}`);
  const told = await families();
  t.equal(valueOf(told.get('packets_total')), 2);
  t.equal(valueOf(told.get('lines_total')), 2 + count);
  t.equal(valueOf(told.get('samples_total'), 'gauge'), 1);
  t.equal(valueOf(told.get('bytes_total'), 'udp'), 12 + count * line.length);
  t.ok((valueOf(told.get('udp_receive_buffer_bytes')) ?? 0) > 0);
  t.equal(valueOf(told.get('udp_dropped_total')), 0);
  t.equal(valueOf(told.get('cache_keys')), 3);
});

test(
  'what the kernel drops is a metric',
  { skip: !existsSync('/proc/net/udp') && 'no /proc/net/udp' },
  async (t) => {
    const { statsd, families } = await started(t, { udp: anywhere, receiveBufferBytes: 4096 });
    const send = udpClient(t, statsd.addresses['statsd-udp']);
    const dropped = await eventually('the kernel drops something', async () => {
      // All are sent before this process gets to read the first.
      await Promise.all(Array.from({ length: 200 }, () => send('x'.repeat(1000))));
      return valueOf((await families()).get('udp_dropped_total')) || undefined;
    });
    t.ok(dropped > 0);
  },
);

test('a receive buffer that the kernel does not grant is named in the log, with what to do', async (t) => {
  const { deps } = await started(t, { udp: anywhere, receiveBufferBytes: 2 ** 31 - 1 });
  t.ok(
    deps.lines.some(
      (line) => /smaller receive buffer/.test(line) && /sysctl -w net\.core\.rmem_max/.test(line),
    ),
  );
  const other = await started(t, { udp: anywhere, receiveBufferBytes: 4096 });
  t.notOk(other.deps.lines.some((line) => /smaller receive buffer/.test(line)));
});

test('TCP: lines in any pieces, bounded connections, long lines skipped', async (t) => {
  const { statsd, shows, families } = await started(t, {
    tcp: anywhere,
    maxConnections: 1,
    maxLineLength: 64,
  });
  const port = portOf(statsd.addresses['statsd-tcp']);
  const client = connect(port, '127.0.0.1');
  await once(client, 'connect');
  client.write('a:1');
  client.write('|c\nb:1|c\nc:1');
  await shows('a 1', 'b 1');
  const second = connect(port, '127.0.0.1');
  await once(second, 'close');
  t.equal(valueOf((await families()).get('connections_refused_total'), 'tcp'), 1);
  t.equal(valueOf((await families()).get('connections_open'), 'tcp'), 1);
  client.end(`0|c\n${'x'.repeat(500)}:1|c\nd:1|c`);
  await shows('c 10', 'd 1');
  await eventually(
    'closed',
    async () => valueOf((await families()).get('connections_open'), 'tcp') === 0 || undefined,
  );
  t.equal(valueOf((await families()).get('errors_total'), 'line-too-long'), 1);
  const third = connect(port, '127.0.0.1');
  third.end('e:1|c');
  await shows('e 1');
});

test('unix stream: lines or DogStatsD packets; a stale socket is replaced, a living one is not', async (t) => {
  const folder = tempDir(t);
  const [used, unix] = [join(folder, 'used.sock'), join(folder, 'statsd.sock')];
  const owner = createServer().listen(used);
  await once(owner, 'listening');
  const refused = await startStatsd({ ...off, unix: used }, new FakeStore(), testDeps()).catch(
    (error: unknown) => error,
  );
  t.match(refused, { code: 'LISTEN_FAILED' });
  // A second name of the socket stays when its owner ends, as the first does when an owner is killed.
  linkSync(used, unix);
  owner.close();
  const { statsd, shows } = await started(t, { unix });
  t.equal(statsd.addresses['statsd-unix'], `unix:${unix}`);
  connect(unix).end('lines:1|c\nlines:1|c');
  const header = Buffer.alloc(4);
  const packet = 'packets:1|c|#k:v\npackets:2|c|#k:v';
  header.writeUInt32LE(packet.length);
  connect(unix).end(Buffer.concat([header, Buffer.from(packet), header, Buffer.from(packet)]));
  await shows('lines 2', 'packets{k="v"} 6');
});

test('configuration: another mapping holds at once, a bad one changes nothing', async (t) => {
  const net = new MemoryNet();
  const { statsd, store, families } = await started(t, { udp: anywhere }, testDeps({ net }));
  const send = (line: string): void => net.send(statsd.addresses['statsd-udp'] ?? '', line);
  send('a.b:1|c');
  const mapping = { mappings: [{ match: 'a.*', name: 'mapped_$1', labels: { from: 'rule' } }] };
  await (await statsd.prepare({ ...off, mapping })).commit();
  send('a.b:1|c');
  await t.rejects(statsd.prepare({ ...off, mapping: { mappings: [{ match: 'a' }, { name: 'b' }] } }), {
    code: 'CONFIG_INVALID',
    message: /mappings\[0\]\.name[\s\S]*mappings\[1\]\.match/,
  });
  await t.rejects(statsd.prepare({ ...off, receiveBufferBytes: 1 }), {
    message: /statsd\.receiveBuffer/,
  });
  send('a.b:1|c');
  t.same(store.lines(), ['a_b 1', 'mapped_b{from="rule"} 2']);
  const told = await families();
  t.equal(valueOf(told.get('mapping_rules')), 1);
  t.same(
    [
      valueOf(told.get('mapping_loads_total'), 'success'),
      valueOf(told.get('mapping_loads_total'), 'failure'),
    ],
    [1, 1],
  );
  t.equal(valueOf(told.get('mapping_last_load_successful')), 0);
  t.equal(valueOf(told.get('mapping_results_total'), 'mapped'), 2);
});

test('sets begin anew each minute', async (t) => {
  const net = new MemoryNet();
  const clock = new FakeClock();
  const { statsd, store } = await started(t, { udp: anywhere }, testDeps({ net, clock }));
  net.send(statsd.addresses['statsd-udp'] ?? '', 'users:ann|s\nusers:bob|s\nusers:ann|s');
  t.same(store.lines(), ['users 2']);
  await clock.advance(2 * setWindowMs);
  t.same(store.lines(), ['users 0']);
});

test('the kernel’s table of sockets', (t) => {
  const table = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  123: 0100007F:23A5 00000000:0000 07 00000000:00000A00 00:00000000 00000000  1000        0 81914 2 0000000000000000 17
  124: 00000000:23A6 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 81915 2 0000000000000000 3
`;
  t.same(udpStateIn(table, '127.0.0.1', 9125), { dropped: 17, queuedBytes: 2560 });
  t.same(udpStateIn(table, '0.0.0.0', 9126), { dropped: 3, queuedBytes: 0 });
  t.equal(udpStateIn(table, '127.0.0.1', 9126), undefined);
  const six = `  1: 00000000000000000000000001000000:23A5 0:0 07 0:0 0 0 0 0 1 2 0 5
  2: B80D01200000000000000000FF00000A:23A5 0:0 07 0:0 0 0 0 0 1 2 0 6
  3: 0000000000000000FFFF00000100007F:23A5 0:0 07 0:0 0 0 0 0 1 2 0 7`;
  t.equal(udpStateIn(six, '::1', 9125)?.dropped, 5);
  t.equal(udpStateIn(six, '2001:db8::a00:ff', 9125)?.dropped, 6);
  t.equal(udpStateIn(six, '::ffff:127.0.0.1', 9125)?.dropped, 7);
  t.end();
});
