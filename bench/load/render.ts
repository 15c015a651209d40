/**
 * 100,000 counters with 4 labels, written as a page again and again in one process: by the adapter's registry or by
 * prom-client. Prints one line of JSON. Arguments: `ours` or `prom-client`, the number of series, the number of pages.
 */

import { setImmediate as turn } from 'node:timers/promises';

interface Subject {
  /** Every value changes between pages. */
  change(): void;
  page(): Promise<number>;
}

const [subject = 'ours', series = '100000', pages = '20'] = process.argv.slice(2);
const count = Number(series);
const collect = (globalThis as { gc?: () => void }).gc ?? (() => undefined);

// What is loaded, and the room the heap takes for garbage, is not the cost of a series: a first registry pays for it.
const make = subject === 'ours' ? ours : promClient;
await make();
collect();
const before = process.memoryUsage.rss();
const made = await make();
collect();
const bytesPerSeries = (process.memoryUsage.rss() - before) / count;
const times: number[] = [];
const stalls: number[] = [];
let bytes = 0;
for (let page = 0; page < Number(pages); page++) {
  made.change();
  collect();
  const watch = watchTurns();
  const started = performance.now();
  bytes = await made.page();
  times.push(performance.now() - started);
  stalls.push(await watch());
}
process.stdout.write(`${JSON.stringify({ times, stalls, bytes, bytesPerSeries })}\n`);

function labelsOf(i: number): Record<string, string> {
  return { method: 'GET', route: `/api/v1/items/${i % 1000}`, code: '200', shard: `s${i}` };
}

async function ours(): Promise<Subject> {
  const { SeriesRegistry } = await import('../../packages/adapter/dist/series/registry.js');
  const { writeStored } = await import('../../packages/adapter/dist/series/render.js');
  const { BlockPool, givingWay, PageWriter, textFormat } = await import('@outrigger/core/exposition');
  const { systemClock } = await import('@outrigger/core/clock');
  const registry = new SeriesRegistry({ maxSeries: count, labels: {} }, systemClock());
  const slots = Int32Array.from({ length: count }, (_, i) =>
    registry.open({
      ...{ name: 'http_requests_total', type: 'counter', help: 'Requests.', source: 'bench', ttlMs: 0 },
      labels: Object.entries(labelsOf(i)),
    }),
  );
  const pool = new BlockPool();
  return {
    change: () => slots.forEach((slot, i) => registry.add(slot, i)),
    page: async () => {
      const out = new PageWriter(pool);
      const giveWay = givingWay(performance);
      for (const family of registry.families()) await writeStored(registry, family, out, textFormat, giveWay);
      out.finish();
      out.release();
      return out.length;
    },
  };
}

async function promClient(): Promise<Subject> {
  const { Counter, Registry } = await import('prom-client');
  const registry = new Registry();
  const counter = new Counter({
    ...{ name: 'http_requests_total', help: 'Requests.', registers: [registry] },
    labelNames: ['method', 'route', 'code', 'shard'],
  });
  const change = (): void => {
    for (let i = 0; i < count; i++) counter.inc(labelsOf(i), i);
  };
  change();
  return { change, page: async () => Buffer.byteLength(await registry.metrics()) };
}

/** The longest time nothing else had a turn, in ms, once it is called. */
function watchTurns(): () => Promise<number> {
  let longest = 0;
  let isOver = false;
  const watching = (async () => {
    for (let last = performance.now(); !isOver;) {
      await turn();
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
    }
  })();
  return async () => {
    isOver = true;
    await watching;
    return longest;
  };
}
