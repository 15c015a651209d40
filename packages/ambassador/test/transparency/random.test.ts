import { test } from 'tap';
import { seededRandom } from '@outrigger/core/clock';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { startAmbassador, startServers } from '../session/setting.ts';
import { differences } from './differences.ts';
import { randomText } from './generator.ts';
import { programs } from './program.ts';
import { run } from './run.ts';
import type { Manner } from './run.ts';

const redis = needs('redis-server', 'redis-cli');
const seed = Number(process.env['PROGRAM_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const clients = 40;
const manners: readonly Manner[] = ['whole', 'cut', 'stepwise'];

test(`${clients} clients at once, each answered as if alone (PROGRAM_SEED=${seed})`, redis, async (t) => {
  const { primary, replicas } = await startServers(t, 2);
  const plain = await startRedis(t);
  const split = { primary: primary.address, replica: replicas.map(({ address }) => address) };
  const { port } = await startAmbassador(t, split);
  const random = seededRandom(seed);
  for (let round = 0; round < 3; round++) {
    const texts = Array.from({ length: clients }, (_, i) => [`client ${i}`, randomText(random, `c${i}`, 60)]);
    const all = programs(`round ${round}`, Object.fromEntries(texts) as Record<string, string>);
    await Promise.all([plain.cli('FLUSHALL'), primary.cli('FLUSHALL')]);
    const want = await Promise.all(all.map((program) => run(program, alone(plain.port, 'whole'))));
    const got = await Promise.all(
      all.map((program, i) => run(program, alone(port, manners[i % manners.length] as Manner))),
    );
    t.strictSame(differences(all, want, got), [], `round ${round}`);
  }

  function alone(at: number, manner: Manner): Parameters<typeof run>[1] {
    return { port: at, manner, random, settled: async () => {}, blocked: async () => false };
  }
});
