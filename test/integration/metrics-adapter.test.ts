/** examples/metrics-adapter as it is, on free ports: a real Prometheus finds the adapter and stores what the app, nginx and Redis said. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import type { Test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { root } from '../../scripts/setup/paths.mjs';
import { freePort, needs, startProcess, startRedis, tempDir, toolPath } from '../harness/index.ts';

const example = join(root, 'examples/metrics-adapter');
const outrigger = ['--conditions=@outrigger/source', join(root, 'packages/cli/src/main.ts')] as const;
const ready = /"msg":"ready".*\n/;

interface Ports {
  readonly [written: string]: number;
}

/** A file of the examples with other ports, in a folder of its own. */
function onPorts(t: Test, path: string, ports: Ports): string {
  let text = readFileSync(join(root, 'examples', path), 'utf8');
  for (const [written, port] of Object.entries(ports)) text = text.replaceAll(`:${written}`, `:${port}`);
  const file = join(tempDir(t), path.split('/').at(-1) ?? '');
  writeFileSync(file, text);
  return file;
}

async function startPrometheus(t: Test, control: number): Promise<(query: string) => Promise<number>> {
  const folder = tempDir(t);
  const port = await freePort();
  const config = join(folder, 'prometheus.yml');
  const text = readFileSync(join(root, 'examples/monitoring/prometheus.yml'), 'utf8')
    .replace('127.0.0.1:7080', `127.0.0.1:${control}`)
    .replace('scrape_interval: 15s', 'scrape_interval: 250ms')
    .replace('refresh_interval: 15s', 'refresh_interval: 250ms')
    .replace('rules/outrigger.yaml', join(root, 'examples/monitoring/rules/outrigger.yaml'));
  writeFileSync(config, text);
  await startProcess(
    t,
    toolPath('prometheus'),
    [
      ...[`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'data')}`],
      ...[`--web.listen-address=127.0.0.1:${port}`, '--storage.tsdb.retention.time=1h'],
    ],
    { ready: /ready to receive web requests/, readyTimeoutMs: 30_000 },
  );
  return async (query) => {
    const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`;
    const { data } = (await (await fetch(url)).json()) as { data: { result: { value: [number, string] }[] } };
    const [only, ...more] = data.result;
    if (only === undefined || more.length > 0) throw new Error(`${query}: ${JSON.stringify(data.result)}`);
    return Number(only.value[1]);
  };
}

test(
  'Prometheus finds the adapter and stores what was said',
  { ...needs('prometheus', 'nginx', 'redis-server', 'redis-cli'), timeout: 120_000 },
  async (t) => {
    const redis = await startRedis(t);
    const [api, page, admin, statsd, shop, web] = [
      ...[await freePort(), await freePort(), await freePort()],
      ...[await freePort(), await freePort(), await freePort()],
    ];
    const ports = { 9102: page, 9103: admin, 9125: statsd, 8081: shop, 8080: web, 6379: redis.port } as Ports;
    await startProcess(
      t,
      process.execPath,
      [...outrigger, 'control', '--memory', '--listen', `127.0.0.1:${api}`],
      {
        ready,
        readyTimeoutMs: 20_000,
      },
    );
    const nginx = tempDir(t);
    await startProcess(
      t,
      toolPath('nginx'),
      ['-p', nginx, '-c', onPorts(t, 'metrics-adapter/nginx.conf', ports)],
      { ready: { port: web as number } },
    );
    await startProcess(
      t,
      process.execPath,
      [
        ...[...outrigger, 'adapter', '--config', onPorts(t, 'metrics-adapter/adapter.yaml', ports)],
        ...['--statsd-tcp', '127.0.0.1:0', '--control', `http://127.0.0.1:${api}`],
      ],
      { ready, readyTimeoutMs: 20_000 },
    );
    await startProcess(t, process.execPath, [join(example, 'app.mjs'), String(statsd), String(shop)], {
      ready: /shop on/,
    });
    const value = await startPrometheus(t, api as number);

    for (const item of ['apples', 'apples', 'apples', 'pears']) {
      const { status } = await fetch(`http://127.0.0.1:${web}/orders/${item}`, { method: 'POST' });
      t.equal(status, 201);
    }
    await redis.cli('SET', 'k', 'v');
    const stored = async (query: string, expected: number): Promise<void> => {
      await eventually(
        `${query} is ${expected}`,
        async () => {
          const got = await value(query);
          if (got !== expected) throw new Error(String(got));
          return true;
        },
        30_000,
      );
      t.pass(`${query} is ${expected}`);
    };
    await stored('shop_orders_total{item="apples"}', 3);
    await stored('shop_orders_total{item="pears"}', 1);
    await stored('sum(shop_checkout_seconds_count)', 4);
    await stored('shop_stock_left{item="apples"}', 117);
    await stored('shop_stock_left{item="pears"}', 79);
    await stored('nginx_up', 1);
    await stored('redis_up', 1);
    await stored('redis_db_keys{db="db0"}', 1);
    for (const source of ['stock', 'web', 'cache']) {
      await stored(`outrigger_adapter_source_up{source="${source}"}`, 1);
    }
    await stored('up{outrigger_role="adapter",outrigger_page=""}', 1);
    await stored('up{outrigger_role="adapter",outrigger_page="admin"}', 1);
    await stored('up{outrigger_role="control"}', 1);
    t.ok((await value('nginx_http_requests_total')) >= 4, 'nginx has counted the orders');

    await redis.process.stop('SIGKILL');
    await stored('outrigger_adapter_source_up{source="cache"}', 0);
    await stored('outrigger_adapter_source_up{source="web"}', 1);
    await stored('redis_up', 0);
  },
);
