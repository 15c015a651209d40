/** From a write at the API to the first connection that reaches the new endpoint: 1,000 Services of 10 endpoints. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '../../test/harness/index.ts';
import { median, quantile } from '../harness/measure.ts';
import {
  create,
  endpointAddresses,
  loadCpu,
  service,
  servicesPath,
  slice,
  slicesPath,
  startControl,
  startPinned,
  startRole,
  subjectCpu,
} from '../harness/mesh.ts';
import type { BenchContext, Row, Suite } from '../harness/suite.ts';

const services = 1000;
const mostMillis = 25;
const changesPerSecondOfRun = 50;
const writers = 16;

export const programming: Suite = {
  name: 'programming',
  needs: [],
  run: async (context) => {
    const runs = await measure(context);
    const work = `API write (durable) → proxy uses the new endpoint, ${services} Services × ${endpointAddresses.length}`;
    const row = (q: number, reach: Row['reach']): Row => ({
      work,
      figure: `time, p${q * 100}`,
      ours: median(runs.map((latencies) => quantile(latencies, q))),
      reach,
      unit: 'ms',
    });
    return [row(0.5, {}), row(0.99, { atMost: mostMillis })];
  },
};

/** One unmeasured run, then the measured ones. */
async function measure(context: BenchContext): Promise<number[][]> {
  const dir = tempDir(context);
  const control = await startControl(context, loadCpu, '--data', join(dir, 'data'));
  const api = control.addresses['api'] ?? '';
  const targets = join(dir, 'targets.json');
  const changes = String(Math.max(100, context.seconds * changesPerSecondOfRun));
  const script = join(import.meta.dirname, '../load/programming-client.ts');
  const args = [script, api, targets, changes];
  const client = await startPinned(context, loadCpu, process.execPath, args, /^ready .*\n/m);
  const port = Number(/^ready (\d+)/m.exec(client.stdout)?.[1]);
  context.progress(`creating ${services} Services`);
  await createAll(api, port);
  writeFileSync(targets, JSON.stringify(await publishAll(context, dir, api)));
  const runs: number[][] = [];
  for (let run = 0; run <= context.runs; run++) {
    context.progress(`run ${run} of ${context.runs}`);
    client.signal('SIGUSR2');
    const [lines] = await client.matched(new RegExp(`(?:^\\[.*\\]\\n){${run + 1}}`, 'm'), 120_000);
    const latencies = JSON.parse(lines.trim().split('\n').at(-1) ?? '[]') as number[];
    if (run > 0) runs.push(latencies);
  }
  return runs;
}

async function createAll(api: string, port: number): Promise<void> {
  const names = Array.from({ length: services }, (_, i) => nameOf(i));
  const writer = async (): Promise<void> => {
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      await create(api, servicesPath, service(name));
      await create(api, slicesPath, slice(name, name, endpointAddresses, port));
    }
  };
  await Promise.all(Array.from({ length: writers }, writer));
}

/** Every Service published by one proxy; Service → port. */
async function publishAll(context: BenchContext, dir: string, api: string): Promise<Record<string, number>> {
  const publish = Array.from({ length: services }, (_, i) => `default/${nameOf(i)}=127.0.0.1:0`);
  const config = join(dir, 'proxy.json');
  writeFileSync(
    config,
    JSON.stringify({ control: [`http://${api}`], admin: '127.0.0.1:0', publish, logLevel: 'warn' }),
  );
  const { addresses } = await startRole(context, subjectCpu, 'proxy', ['--config', config]);
  return Object.fromEntries(
    Object.entries(addresses)
      .filter(([name]) => name.startsWith('default/'))
      .map(([name, address]) => [name.slice('default/'.length), Number(address.split(':').at(-1))]),
  );
}

function nameOf(i: number): string {
  return `service-${i}`;
}
