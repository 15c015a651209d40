/** A quarter of a minute of `npm run chaos -- --part redis`: the same faults every time, unless a seed is given. */

import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { needs, startProcess } from '../../harness/index.ts';
import { redisChaos } from './run.ts';

const seed = Number(process.env['CHAOS_SEED'] ?? 847_022);
const main = fileURLToPath(new URL('../../../packages/cli/src/main.ts', import.meta.url));
const ready = /"msg":"ready".*\n/;

test(`Redis servers fail at random (CHAOS_SEED=${seed})`, needs('redis-server', 'redis-cli'), async (t) => {
  const summaries = await redisChaos({
    t,
    seed,
    forMs: 15_000,
    log: (line) => t.comment(line),
    startAmbassador: async (args) => {
      const running = await startProcess(
        t,
        process.execPath,
        [
          ...['--conditions=@outrigger/source', main, 'ambassador'],
          ...['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', ...args],
        ],
        { ready, readyTimeoutMs: 20_000 },
      );
      const { addresses } = JSON.parse(running.stdout) as { addresses: { redis: string } };
      return { port: Number(addresses.redis.split(':').at(-1)), process: running };
    },
  });
  for (const summary of summaries) t.comment(summary);
  t.equal(summaries.length, 3, 'every promise was kept');
});
