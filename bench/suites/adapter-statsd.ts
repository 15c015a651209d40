/** StatsD into the adapter: CPU per line, and what is lost, also while a large page is scraped. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { tempDir } from '../../test/harness/index.ts';
import { cpuSeconds, median, residentMiB } from '../harness/measure.ts';
import { startPinned, startRole } from '../harness/mesh.ts';
import type { MeshProcess } from '../harness/mesh.ts';
import type { BenchContext, Row, Suite } from '../harness/suite.ts';

/** Ours on one CPU, whoever sends and scrapes on the other. */
const [oursCpu, senderCpu] = [1, 0];
const sender = join(import.meta.dirname, '../load/statsd-sender.ts');
const promClient = join(import.meta.dirname, '../load/statsd-prom-client.ts');

/** No Debian release has statsd_exporter: measured once (0.25.0, same sender, 4 MiB buffer), kept in the docs. */
const stored = {
  name: 'statsd_exporter 0.25.0, stored figure',
  plain: 1.64,
  tags: 2.3,
  single: 7.7,
};

const mapping = `defaults: { observer_type: histogram }
mappings:
- { match: app.*.requests.*, name: app_requests_total, labels: { server: $1, name: $2 } }
- { match: app.*.errors.*, name: app_errors_total, labels: { server: $1 } }
- { match: '^cache\\.(\\w+)\\.hits$', match_type: regex, name: cache_hits_total, labels: { cache: $1 } }
- { match: debug.*, name: dropped, action: drop }
`;

interface Load {
  readonly packetsPerSecond: number;
  readonly linesPerPacket: number;
  readonly tags?: boolean;
}

interface Sent {
  readonly packets: number;
  readonly lines: number;
  readonly seconds: number;
}

interface Outcome {
  readonly cpuMicros: number;
  readonly lossShare: number;
  readonly linesPerSecond: number;
}

export const adapterStatsd: Suite = {
  name: 'adapter-statsd',
  needs: [],
  run: async (context) => {
    const buffer = `${Math.min(4, rmemMax() / 2 ** 20)} MiB buffer`;
    const adapter = await startAdapter(context, '4MiB');
    const load = (packetsPerSecond: number, linesPerPacket: number, tags = false): Load => ({
      ...{ packetsPerSecond, linesPerPacket, tags },
    });
    const plain = await measure(context, adapter, load(10_000, 40));
    const tags = await measure(context, adapter, load(10_000, 40, true));
    const single = await measure(context, adapter, load(50_000, 1));
    await adapter.process.stop();
    return [
      ...cpuRows('StatsD, 40 lines a packet, mapping on', plain, 0.6, stored.plain),
      ...lossRows(`StatsD, 40 lines a packet, ${rate(plain)}, ${buffer}`, plain),
      ...cpuRows('StatsD, 40 lines a packet, 3 tags, mapping on', tags, 1, stored.tags),
      ...lossRows(`StatsD, 40 lines a packet, 3 tags, ${rate(tags)}, ${buffer}`, tags),
      ...cpuRows('StatsD, one line a packet', single, 5, stored.single),
      ...lossRows(`StatsD, one line a packet, ${rate(single)}, ${buffer}`, single),
      ...(await duringScrapes(context, buffer)),
    ];
  },
};

function cpuRows(work: string, outcomes: readonly Outcome[], atMost: number, peer: number): Row[] {
  const ours = median(outcomes.map(({ cpuMicros }) => cpuMicros));
  const common = { work, figure: 'CPU per line', ours, unit: 'µs' };
  return [
    { ...common, reach: { atMost }, gate: true },
    { ...common, peer: { name: stored.name, value: peer }, reach: {} },
  ];
}

/** Every run must be without loss: the worst counts. */
function lossRows(work: string, outcomes: readonly Outcome[]): Row[] {
  const ours = 100 * Math.max(...outcomes.map(({ lossShare }) => lossShare));
  return [{ work, figure: 'lines lost', ours, reach: { atMost: 0 }, unit: '%', gate: true }];
}

function rate(outcomes: readonly Outcome[]): string {
  const thousands = median(outcomes.map(({ linesPerSecond }) => linesPerSecond)) / 1000;
  return `${Math.round(thousands)}k lines/s`;
}

async function measure(context: BenchContext, adapter: MeshProcess, load: Load): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  // The first run is for the compiler and the cache.
  for (let run = 0; run <= context.runs; run++) {
    context.progress(
      `${load.linesPerPacket} lines a packet${load.tags === true ? ', tags' : ''}, run ${run}`,
    );
    const before = await received(adapter);
    const cpu = cpuSeconds(adapter.process.pid);
    const sent = await send(portOf(adapter.addresses['statsd-udp']), {
      ...load,
      seconds: run === 0 ? 1 : context.seconds,
    });
    const lines = await settled(adapter, before, sent.lines);
    const used = cpuSeconds(adapter.process.pid) - cpu;
    if (run === 0) continue;
    outcomes.push({
      cpuMicros: (used * 1e6) / lines,
      lossShare: 1 - lines / sent.lines,
      linesPerSecond: sent.lines / sent.seconds,
    });
  }
  return outcomes;
}

const keptSeries = 100_000;
const scrapePackets = 10_000;

async function duringScrapes(context: BenchContext, buffer: string): Promise<Row[]> {
  const work = `UDP loss, ${scrapePackets / 1000}k packets/s, ${keptSeries / 1000}k series scraped every second`;
  const large = await scraped(context, '4MiB');
  const small = await scraped(context, '208KiB');
  const peer = await promClientLoss(context);
  const common = { figure: 'packets lost', unit: '%' };
  return [
    { ...common, work: `${work}, ${buffer}`, ours: large.loss, reach: { atMost: 0 }, gate: true },
    {
      ...common,
      work: `${work}, 208 KiB buffer`,
      ours: small.loss,
      peer: { name: 'prom-client', value: peer },
      reach: {},
    },
    {
      work: `${keptSeries / 1000}k series by StatsD, scraped`,
      figure: 'RSS',
      ours: large.rss,
      reach: { atMost: 150 },
      unit: 'MiB',
    },
  ];
}

async function scraped(context: BenchContext, buffer: string): Promise<{ loss: number; rss: number }> {
  const adapter = await startAdapter(context, buffer);
  const port = portOf(adapter.addresses['statsd-udp']);
  await send(port, { packetsPerSecond: 500, linesPerPacket: 40, series: keptSeries - 2000 });
  const url = `http://${adapter.addresses['scrape']}/metrics`;
  const losses: number[] = [];
  for (let run = 1; run <= context.runs; run++) {
    context.progress(`scraping, buffer ${buffer}, run ${run} of ${context.runs}`);
    await fetchAll(url);
    const before = await received(adapter);
    const scraping = scrapeEverySecond(url);
    const sent = await send(port, {
      packetsPerSecond: scrapePackets,
      linesPerPacket: 1,
      seconds: context.seconds,
    });
    await scraping.stop();
    losses.push(100 * (1 - (await settled(adapter, before, sent.lines)) / sent.lines));
  }
  const rss = residentMiB(adapter.process.pid);
  await adapter.process.stop();
  return { loss: Math.max(...losses), rss };
}

/** prom-client with the same series, packets and scrapes, on the same CPU, with the kernel's usual buffer. */
async function promClientLoss(context: BenchContext): Promise<number> {
  const peer = await startPinned(context, oursCpu, process.execPath, [promClient], /READY .*\n/);
  const [, udp = '', http = ''] = /READY (\d+) (\d+)/.exec(peer.stdout) ?? [];
  const got = async (): Promise<number> => {
    const before = peer.stdout.length;
    peer.signal('SIGUSR2');
    for (;;) {
      const found = /GOT (\d+)/.exec(peer.stdout.slice(before))?.[1];
      if (found !== undefined) return Number(found);
      await pause(5);
    }
  };
  const losses: number[] = [];
  for (let run = 1; run <= context.runs; run++) {
    context.progress(`scraping prom-client, run ${run} of ${context.runs}`);
    const before = await got();
    const scraping = scrapeEverySecond(`http://127.0.0.1:${http}/metrics`);
    const sent = await send(Number(udp), {
      packetsPerSecond: scrapePackets,
      linesPerPacket: 1,
      seconds: context.seconds,
    });
    await scraping.stop();
    await pause(500);
    losses.push(100 * (1 - ((await got()) - before) / sent.packets));
  }
  await peer.stop();
  return median(losses);
}

async function startAdapter(context: BenchContext, receiveBuffer: string): Promise<MeshProcess> {
  const folder = tempDir(context);
  const mappingFile = join(folder, 'mapping.yaml');
  const config = join(folder, 'adapter.yaml');
  writeFileSync(mappingFile, mapping);
  writeFileSync(config, `statsd: { receiveBuffer: ${receiveBuffer} }\n`);
  const any = '127.0.0.1:0';
  const addresses = ['--listen', any, '--admin', any, '--statsd-udp', any, '--statsd-tcp', ''];
  const args = [...addresses, '--config', config, '--statsd-mapping', mappingFile, '--log-level', 'error'];
  return startRole(context, oursCpu, 'adapter', args);
}

async function send(port: number, options: Record<string, unknown>): Promise<Sent> {
  const args = ['-c', String(senderCpu), process.execPath, sender, String(port), JSON.stringify(options)];
  const child = spawn('taskset', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  await once(child, 'close');
  return JSON.parse(text) as Sent;
}

/** Lines taken so far, as the adapter says; a name's page is small and cheap to ask for. */
async function received(adapter: MeshProcess): Promise<number> {
  const name = 'outrigger_adapter_statsd_lines_total';
  const response = await fetch(`http://${adapter.addresses['scrape']}/metrics?name[]=${name}`);
  return Number(
    /^outrigger_adapter_statsd_lines_total (\S+)$/m.exec(await response.text())?.[1] ?? Number.NaN,
  );
}

/** Lines taken since `before`, once all sent have come or nothing more comes. */
async function settled(adapter: MeshProcess, before: number, sent: number): Promise<number> {
  let lines = (await received(adapter)) - before;
  for (let quiet = 0; lines < sent && quiet < 4; quiet++) {
    await pause(250);
    lines = (await received(adapter)) - before;
  }
  return lines;
}

function scrapeEverySecond(url: string): { stop(): Promise<void> } {
  let last: Promise<void> = fetchAll(url);
  const timer = setInterval(() => (last = last.then(() => fetchAll(url))), 1000);
  return {
    stop: () => {
      clearInterval(timer);
      return last;
    },
  };
}

/** As Prometheus asks; the body is read and thrown away. */
function fetchAll(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'accept-encoding': 'gzip', accept: 'text/plain;version=0.0.4' };
    get(url, { headers }, (response) => void response.resume().on('end', resolve)).on('error', reject);
  });
}

function rmemMax(): number {
  return Number(readFileSync('/proc/sys/net/core/rmem_max', 'utf8'));
}

function portOf(address: string | undefined): number {
  return Number(address?.split(':').at(-1));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
