/** Where the ambassador's CPU time goes under unpipelined GETs: a V8 profile and its heaviest functions. */

import { mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { renderProfile } from '../harness/profile.ts';
import { benchmark, requestsFor } from '../harness/redis-load.ts';
import type { Work } from '../harness/redis-load.ts';
import { startAmbassador, startRedisServer } from '../harness/redis.ts';
import type { BenchContext } from '../harness/suite.ts';

/** Microseconds between samples. */
const interval = 200;

export async function profileRedis(context: BenchContext, folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const before = new Set(readdirSync(folder));
  const primary = await startRedisServer(context);
  const nodeArgs = ['--cpu-prof', '--cpu-prof-dir', resolve(folder), '--cpu-prof-interval', `${interval}`];
  const outrigger = await startAmbassador(context, { primary, nodeArgs });
  const work: Work = { command: 'get', clients: 50, pipeline: 1, valueBytes: 64 };
  benchmark(primary, primary, { ...work, command: 'set' }, 2000);
  context.progress('profiling');
  const sample = benchmark(outrigger, primary, work, requestsFor(outrigger, work, context.seconds));
  await outrigger.process.stop();
  const written = readdirSync(folder).find((name) => name.endsWith('.cpuprofile') && !before.has(name));
  if (written === undefined) {
    throw new Error(
      `no profile in ${folder}: the ambassador did not end by itself\n${outrigger.process.stderr}`,
    );
  }
  const file = join(folder, written);
  const cost = `${sample.cpuMicros.toFixed(1)} µs of CPU per command with the profiler on`;
  return `${file}: GET, 50 clients, -P 1, ${cost}\n\n${renderProfile(file)}`;
}
