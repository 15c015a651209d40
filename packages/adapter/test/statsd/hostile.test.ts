/** A client that makes up names without end, against the real registry: the caps hold, and memory stays what it is. */

import { FakeClock } from '@outrigger/core/clock';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { test } from 'tap';
import { SeriesRegistry } from '../../src/series/registry.ts';
import { Ingest } from '../../src/statsd/ingest.ts';

const MiB = 1024 * 1024;

/** What is used when nothing is left to collect. */
function used(): { heapUsed: number; arrayBuffers: number } {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage();
}

test('a million names, and a million values of one label, fill nothing but their caps', (t) => {
  const registry = new SeriesRegistry({ maxSeries: 5000, labels: { pod: 'p' } }, new FakeClock());
  const ingest = new Ingest(
    {
      ...{
        tagStyles: new Set(['dogstatsd'] as const),
        containerId: false,
        mapper: undefined,
        bounds: [0.1, 1],
      },
      ...{ maxLineLength: 65_536, cacheSize: 5000 },
    },
    registry,
    42,
  );
  const send = (text: string): void => {
    const bytes = Buffer.from(text);
    ingest.lines(bytes, 0, bytes.length);
  };
  const flood = (from: number, to: number): void => {
    for (let i = from; i < to; i += 100) {
      const lines = Array.from({ length: 50 }, (_, j) => `hostile.${i + j}:1|c\none:1|ms|#user:${i + j}`);
      send(lines.join('\n'));
    }
  };
  send('steady:1|c');
  flood(0, 400_000);
  const early = used();
  flood(400_000, 2_000_000);
  const late = used();
  send('steady:1|c');
  t.equal(registry.size, 5000);
  for (const kind of ['heapUsed', 'arrayBuffers'] as const)
    t.ok(late[kind] - early[kind] < 2 * MiB, `${kind}: ${late[kind] - early[kind]} bytes more`);
  const refused = [...registry.refused()].reduce((sum, { count }) => sum + count, 0);
  t.equal(ingest.tally.errors.get('series-limit'), 2_000_000 - 4999, 'each is counted');
  t.ok(refused > 0);
  t.equal(ingest.tally.errors.size, 1);
  t.end();
});
