/** Buffers are read into again while requests and answers of others are under way: no byte of one is ever another's. */

import { createHash } from 'node:crypto';
import { test } from 'tap';
import { seededRandom } from '@outrigger/core/clock';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { spawnAmbassador } from './setting.ts';
import { frame, Wire } from './wire.ts';

const redis = needs('redis-server', 'redis-cli');
const seed = Number(process.env['BUFFERS_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const clients = 24;
const rounds = 40;
/** Around what is copied, joined, pooled, and passed on as it arrives. */
const sizes = [1, 64, 4000, 4096, 5000, 8192, 16_384, 20_000, 65_000, 66_000, 140_000, 400_000];

test(`values of all sizes come back as they were sent (BUFFERS_SEED=${seed})`, redis, async (t) => {
  const primary = await startRedis(t);
  const { port } = await spawnAmbassador(t, ['--primary', primary.address]);
  const work = async (number: number): Promise<number> => {
    const random = seededRandom(seed + number);
    const wire = await Wire.open(port, { t });
    let wrong = 0;
    for (let round = 0; round < rounds; round++) {
      // Several at once, so that requests are cut where reads end.
      const values = Array.from({ length: 1 + Math.floor(random.next() * 4) }, (_, i) => {
        const size = sizes[Math.floor(random.next() * sizes.length)] ?? 1;
        return text(`${seed} ${number} ${round} ${i}`, size);
      });
      const keys = values.map((_, i) => `k${number}.${i}`);
      wire.send(values.map((value, i) => frame('SET', keys[i] ?? '', value)).join(''));
      if ((await wire.take(values.length)) !== '+OK\r\n'.repeat(values.length)) wrong++;
      for (const [i, value] of values.entries()) {
        if ((await wire.ask('GET', keys[i] ?? '')) !== `$${value.length}\r\n${value}\r\n`) wrong++;
      }
    }
    return wrong;
  };
  const wrong = await Promise.all(Array.from({ length: clients }, (_, i) => work(i)));
  t.strictSame(wrong, Array(clients).fill(0));
});

/** Text of which no part is in another's. */
function text(of: string, size: number): string {
  let all = '';
  for (let block = createHash('sha256').update(of).digest('hex'); all.length < size;) {
    all += block;
    block = createHash('sha256').update(block).digest('hex');
  }
  return all.slice(0, size);
}
