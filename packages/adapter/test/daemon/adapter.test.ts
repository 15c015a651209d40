import { adapterDaemon } from '@outrigger/adapter';
import { loadConfig } from '@outrigger/core/config';
import { eventually, MemoryNet, testDeps } from '@outrigger/core/testing';
import { spawnSync } from 'node:child_process';
import dgram from 'node:dgram';
import { test } from 'tap';
import { needs, toolPath } from '../../../../test/harness/index.ts';

const { schema, checks, parse, start } = adapterDaemon;

function configure(...args: string[]) {
  const free = [
    '--listen',
    '127.0.0.1:0',
    '--admin',
    '127.0.0.1:0',
    '--statsd-udp',
    '127.0.0.1:0',
    '--statsd-tcp',
    '',
  ];
  return parse(loadConfig({ schema, checks, args: [...free, ...args], environment: {} }).values);
}

async function running(t: { teardown(run: () => unknown): void }, ...args: string[]) {
  const daemon = await start(configure(...args), testDeps());
  t.teardown(() => daemon.close());
  const { addresses } = daemon;
  const udp = dgram.createSocket('udp4');
  t.teardown(() => udp.close());
  const send = (text: string | Buffer): void =>
    udp.send(text, Number(addresses['statsd-udp']?.split(':')[1]), '127.0.0.1');
  const page = async () => (await fetch(`http://${addresses['scrape']}/metrics`)).text();
  return { daemon, send, page, admin: `http://${addresses['admin']}` };
}

test('StatsD over UDP comes out on the scrape page', async (t) => {
  const { send, page, admin } = await running(t);
  send('hits:1|c\nhits:2|c|@0.5\n\nspeed:-3|g\nlat:30|ms|#route:/a\nbroken\n');
  const text = await eventually('the page shows it', async () => {
    const now = await page();
    return now.includes('lat_count') ? now : undefined;
  });
  t.match(text, /\nhits 5\n/);
  t.match(text, /\nspeed -3\n/);
  t.match(text, /\nlat_bucket\{route="\/a",le="0\.05"\} 1\n/);
  t.match(text, /\noutrigger_adapter_statsd_errors_total\{reason="malformed"\} 1\n/);
  t.match(text, /\noutrigger_adapter_statsd_samples_total\{kind="counter"\} 2\n/);
  t.notMatch(text, /process_|nodejs_/, 'the process’s own metrics are on the admin address');
  t.match(await (await fetch(`${admin}/metrics`)).text(), /outrigger_metrics_cells_used/);
});

test('promtool finds nothing wrong with the page', needs('promtool'), async (t) => {
  const { send, page } = await running(t);
  send('requests_total:1|c|#a:b\nqueue_length:4|g\nrequest_seconds:12|ms');
  const text = await eventually('collected', async () => {
    const now = await page();
    return now.includes('request_seconds_count') ? now : undefined;
  });
  const check = spawnSync(toolPath('promtool'), ['check', 'metrics'], { input: text, encoding: 'utf8' });
  t.equal(check.stdout + check.stderr, '');
  t.equal(check.status, 0);
});

test('paths and methods that are not there say where to look', async (t) => {
  const { daemon } = await running(t);
  const base = `http://${daemon.addresses['scrape']}`;
  t.match(await (await fetch(`${base}/`)).text(), /\/metrics/);
  t.equal((await fetch(`${base}/nonsense`)).status, 404);
  t.equal((await fetch(`${base}/metrics`, { method: 'POST' })).status, 405);
});

test('reload changes labels, refuses what needs a restart, and keeps the series', async (t) => {
  const net = new MemoryNet();
  const daemon = await start(configure(), testDeps({ net }));
  t.teardown(() => daemon.close());
  const statsd = daemon.addresses['statsd-udp'] ?? '';
  net.send(statsd, 'a:1|c');
  await daemon.reload({ ...configure(), labels: { pod: 'p' } });
  net.send(statsd, 'b:1|c');
  await t.rejects(daemon.reload(configure('--listen', '127.0.0.1:1')), {
    code: 'CONFIG_INVALID',
    target: 'listen',
  });
});

test('bad configuration is told field by field', (t) => {
  t.throws(() => configure('--statsd-udp', 'unix:/x'), {
    message: /--statsd-udp: got "unix:\/x", want HOST:PORT/,
  });
  t.throws(() => configure('--max-series', '0'), {
    message: /--max-series: got "0", want an integer from 1/,
  });
  t.end();
});

test('listeners beyond loopback are named once at start', async (t) => {
  const deps = testDeps({ net: new MemoryNet() });
  const args = ['--listen', '0.0.0.0:0', '--statsd-udp', '0.0.0.0:0', '--admin', '127.0.0.1:0'];
  const daemon = await start(configure(...args), deps);
  t.teardown(() => daemon.close());
  const named = deps.lines.filter((line) => line.includes('beyond loopback'));
  t.match(named, [/listener=statsd-udp/, /listener=scrape/]);
  t.equal(named.length, 2);
});
