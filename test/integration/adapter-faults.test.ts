/** The metrics adapter against what a page must survive: what a real Prometheus stores of it, resets, steps of the clock. */

import { adapterDaemon } from '@outrigger/adapter';
import { FakeClock } from '@outrigger/core/clock';
import type { Clock } from '@outrigger/core/clock';
import { eventually } from '@outrigger/core/testing';
import dgram from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'tap';
import type { Test } from 'tap';
import { parsePage } from '../../packages/adapter/src/prometheus/parse.ts';
import { freePort, needs, startProcess, tempDir, toolPath } from '../harness/index.ts';
import { start } from './mesh/daemons.ts';

const addresses = { listen: '127.0.0.1:0', admin: '127.0.0.1:0', statsdUdp: '', statsdTcp: '' };

async function serving(t: Test, body: () => string | Buffer): Promise<string> {
  const server = createServer((_, response) => response.end(body())).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => server.close());
  t.teardown(() => server.closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function adapter(t: Test, document: Readonly<Record<string, unknown>>, clock?: Clock) {
  const replaced = clock === undefined ? {} : { clock };
  const { daemon } = await start(t, adapterDaemon, { ...addresses, ...document }, replaced);
  const { scrape = '', 'statsd-udp': udp = '' } = daemon.addresses;
  const socket = dgram.createSocket('udp4');
  t.teardown(() => socket.close());
  return {
    scrape,
    send: (text: string | Buffer): void => void socket.send(text, Number(udp.split(':')[1]), '127.0.0.1'),
    page: async (headers: Record<string, string> = {}) =>
      (await fetch(`http://${scrape}/metrics`, { headers })).text(),
  };
}

/** Labels with the name, sorted → value; what the adapter says of itself changes from scrape to scrape. */
function seriesOf(page: string): Map<string, string> {
  const { families } = parsePage(page, 'openmetrics');
  const found = new Map<string, string>();
  for (const { name, samples } of families) {
    if (name.startsWith('outrigger_')) continue;
    for (const { suffix, labels, value } of samples) {
      const base = suffix === '_created' ? name.replace(/_total$/, '') : name;
      found.set(keyOf([...labels, ['__name__', base + suffix]]), String(value));
    }
  }
  return found;
}

function keyOf(labels: readonly (readonly [string, string])[]): string {
  return JSON.stringify(labels.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

async function storedBy(port: number): Promise<Map<string, string>> {
  const query = '{job="adapter",__name__!~"up|scrape_.*|outrigger_.*"}';
  const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`;
  const { data } = (await (await fetch(url)).json()) as {
    data: { result: { metric: Record<string, string>; value: [number, string] }[] };
  };
  return new Map(
    data.result.map(({ metric, value }) => {
      const labels = Object.entries(metric).filter(([name]) => name !== 'job' && name !== 'instance');
      return [keyOf(labels), String(Number(value[1].replace('Inf', 'Infinity')))];
    }),
  );
}

test(
  'what a real Prometheus stores is what was sent, odd labels and numbers too',
  { ...needs('prometheus'), timeout: 60_000 },
  async (t) => {
    const odd = Buffer.concat([
      Buffer.from(
        '# TYPE odd gauge\nodd{k="quote \\" back \\\\ line \\n tab \t ü 漢 🐟"} NaN\nodd{k="inf"} +Inf\nodd{k="-inf"} -Inf\n' +
          'odd{k="small"} 4.9406564584124654e-324\nodd{k="large"} 1.7976931348623157e+308\nodd{k="',
      ),
      Buffer.from([0xff, 0xc3, 0x28]),
      Buffer.from('"} 1\n# TYPE seen_total counter\nseen_total 9007199254740993\n'),
    ]);
    const sources = [
      { name: 'odd', prometheus: { url: await serving(t, () => odd) } },
      { name: 'json', json: { url: await serving(t, () => '{"a": {"left": "1e3", "right": null}}') } },
    ];
    const values = { left: '{ .left }', right: '{ .right }' };
    const modules = { default: { metrics: [{ name: 'j', type: 'object', path: '{ .a }', values }] } };
    const { scrape, send, page } = await adapter(t, {
      ...{ sources, modules, statsdUdp: '127.0.0.1:0', timerBuckets: [0.1, 1] },
      mapping: { mappings: [{ match: 'h.*', name: 'h', observer_type: 'histogram', labels: { of: '$1' } }] },
    });
    send(
      'hits:3|c|#path:/a"b\\c,who:ü\nlevel:-2.5|g\nlat:250|ms|@0.5\nh.x:50|ms\nh.x:5000|ms\nusers:a|s\nusers:b|s',
    );
    send(Buffer.concat([Buffer.from('bad:1|c|#k:'), Buffer.from([0xff, 0xfe]), Buffer.from('x')]));
    await eventually('everything was taken', async () => /^h_count.* 2$/m.test(await page()) || undefined);
    const dir = tempDir(t);
    const config = {
      global: { scrape_interval: '500ms', scrape_timeout: '500ms' },
      scrape_configs: [{ job_name: 'adapter', static_configs: [{ targets: [scrape] }] }],
    };
    writeFileSync(join(dir, 'prometheus.yml'), JSON.stringify(config));
    const port = await freePort();
    await startProcess(
      t,
      toolPath('prometheus'),
      [
        ...[`--config.file=${join(dir, 'prometheus.yml')}`, `--storage.tsdb.path=${join(dir, 'data')}`],
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { ready: { port } },
    );
    const sent = seriesOf(await page({ accept: 'application/openmetrics-text; version=1.0.0' }));
    t.ok(sent.size > 20, `${sent.size} series`);
    const stored = await eventually(
      'it was scraped',
      async () => {
        const now = await storedBy(port);
        return now.size >= sent.size ? now : undefined;
      },
      30_000,
    );
    t.strictSame(Object.fromEntries(stored), Object.fromEntries(sent));
  },
);

test('counters of merged sources that begin anew are passed on as they are', async (t) => {
  let first = 10;
  const one = await serving(t, () => `# TYPE hits_total counter\nhits_total ${first}\n`);
  const two = await serving(t, () => '# TYPE hits_total counter\nhits_total 5\n');
  const { page } = await adapter(t, {
    sources: [
      { name: 'one', prometheus: { url: one } },
      { name: 'two', prometheus: { url: two } },
    ],
  });
  const hits = async () => (await page()).match(/^hits_total.*$/gm);
  t.strictSame(await hits(), ['hits_total{source="one"} 10', 'hits_total{source="two"} 5']);
  first = 1;
  t.strictSame(await hits(), ['hits_total{source="one"} 1', 'hits_total{source="two"} 5']);
});

test('steps of the wall clock forget nothing, and end no scrape', async (t) => {
  const time = new FakeClock();
  let offset = 0;
  const clock: Clock = {
    now: () => time.now(),
    wall: () => time.wall() + offset,
    setTimeout: (callback, delayMs) => time.setTimeout(callback, delayMs),
    sleep: (delayMs, signal) => time.sleep(delayMs, signal),
  };
  const { send, page } = await adapter(
    t,
    {
      ...{
        statsdUdp: '127.0.0.1:0',
        sources: [{ name: 'one', prometheus: { url: await serving(t, () => 'a 1\n') } }],
      },
      mapping: { defaults: { ttl: '60s' }, mappings: [] },
    },
    clock,
  );
  send('hits:3|c');
  const accept = 'application/openmetrics-text; version=1.0.0';
  const shown = async () => (await page({ accept })).match(/^(hits_total|hits|hits_created|a).*$/gm);
  const before = await eventually('it was taken', async () => {
    const now = await shown();
    return now?.some((line) => line.startsWith('hits')) === true ? now : undefined;
  });
  for (const step of [86_400_000, -365 * 86_400_000]) {
    offset = step;
    await time.advance(30_000);
    t.strictSame(await shown(), before, `${step} ms`);
    send('hits:0|c');
    await eventually(
      'the line was taken',
      async () => (await page()).includes(`samples_total{kind="counter"} ${step > 0 ? 2 : 3}`) || undefined,
    );
  }
  await time.advance(62_000);
  t.strictSame(await shown(), ['a{source="one"} 1'], 'its time to live is of the steady clock');
});
