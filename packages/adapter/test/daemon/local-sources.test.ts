import { adapterDaemon } from '@outrigger/adapter';
import { loadConfig } from '@outrigger/core/config';
import type { Daemon } from '@outrigger/core/lifecycle';
import { testDeps } from '@outrigger/core/testing';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import type { Test } from 'tap';
import { needs, startRedis, tempDir } from '../../../../test/harness/index.ts';
import { pageServer } from '../sources/page-server.ts';
import { samplesOfText } from '../sources/page-text.ts';

const { schema, checks, parse, start } = adapterDaemon;
const free = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--statsd-udp', '', '--statsd-tcp', ''];

function configure(sources: readonly object[]) {
  const source = { name: 'test', document: { sources } };
  return parse(loadConfig({ schema, checks, args: free, environment: {}, source }).values);
}

async function running(t: Test, sources: readonly object[]): Promise<Daemon> {
  const daemon = await start(configure(sources), testDeps());
  t.teardown(() => daemon.close());
  return daemon;
}

async function page(daemon: Daemon): Promise<Map<string, number>> {
  return samplesOfText(await (await fetch(`http://${daemon.addresses['scrape']}/metrics`)).text());
}

const line = '1.2.3.4 - - [x] "GET / HTTP/1.1" 200 10\n';
const requests = 'access_log_requests_total{method="GET",status="200"}';

test('each local source is on one page, and those that are down say so', needs('redis-server'), async (t) => {
  const redis = await startRedis(t);
  const status =
    'Active connections: 3\nserver accepts handled requests\n 1 1 2\nReading: 0 Writing: 1 Waiting: 2\n';
  const nginx = await pageServer(t, status);
  const haproxy = await pageServer(t, '# pxname,svname,type,scur\nweb,FRONTEND,0,5\n');
  const folder = tempDir(t);
  const log = join(folder, 'access.log');
  writeFileSync(log, line);
  const cgroup = join(folder, 'cgroup');
  mkdirSync(cgroup);
  writeFileSync(join(cgroup, 'cgroup.procs'), '1\n');
  writeFileSync(join(cgroup, 'cpu.stat'), 'usage_usec 5000000\n');
  const daemon = await running(t, [
    { name: 'cache', labels: { redis: 'cache' }, redis: { address: redis.address } },
    { name: 'dead', labels: { redis: 'dead' }, redis: { address: '127.0.0.1:1' } },
    { name: 'web', nginx: { url: nginx.url } },
    { name: 'proxy', haproxy: { url: haproxy.url } },
    { name: 'access', log: { files: [log], format: 'nginx', fromStart: true } },
    { name: 'pod', pod: { cgroup } },
  ]);
  const samples = await page(daemon);
  t.equal(samples.get('redis_up{redis="cache"}'), 1);
  t.equal(samples.get('redis_up{redis="dead"}'), 0);
  t.equal(samples.get('nginx_connections_active'), 3);
  t.equal(samples.get('haproxy_frontend_current_sessions{frontend="web"}'), 5);
  t.equal(samples.get(requests), 1);
  t.equal(samples.get('container_cpu_usage_seconds_total{cpu="total"}'), 5);
  const down = [...samples].filter(
    ([key, value]) => key.startsWith('outrigger_adapter_source_up') && value === 0,
  );
  t.equal(down.length, 1);
});

test('a reload loses no line of a log, and a bad rule changes nothing', async (t) => {
  const log = join(tempDir(t), 'access.log');
  writeFileSync(log, '');
  const source = (more: object) => ({ name: 'access', log: { files: [log], format: 'nginx', ...more } });
  const daemon = await running(t, [source({})]);
  await page(daemon);
  appendFileSync(log, line);
  t.equal((await page(daemon)).get(requests), 1);

  appendFileSync(log, line);
  await daemon.reload(configure([source({ maxLineLength: '1KiB' })]));
  t.equal((await page(daemon)).get(requests), 2, 'the one written before the reload as well, and each once');

  const bad = { rules: [{ name: 'x', type: 'counter', match: '(a)\\1' }] };
  t.throws(() => configure([source(bad)]), { code: 'CONFIG_INVALID', message: /log\.rules\[0\]/ });
  appendFileSync(log, line);
  t.equal((await page(daemon)).get(requests), 3, 'the source of before still reads');
});
