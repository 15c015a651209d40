/** Dependencies for starting a daemon in a test: real time and network unless replaced, logs kept in memory. */

import { seededRandom, systemClock } from '../clock/index.ts';
import type { Deps } from '../lifecycle/index.ts';
import { createLogger } from '../log/index.ts';
import { Metrics } from '../metrics/index.ts';
import { systemNet } from '../net/index.ts';

export interface TestDeps extends Deps {
  /** Every line logged so far, as text. */
  readonly lines: string[];
}

export function testDeps(replaced: Partial<Deps> = {}): TestDeps {
  const lines: string[] = [];
  const clock = replaced.clock ?? systemClock();
  return {
    clock,
    random: seededRandom(1),
    log: createLogger({
      level: 'debug',
      format: 'text',
      write: (line) => void lines.push(line),
      wall: () => clock.wall(),
    }),
    metrics: new Metrics({ processMetrics: false }),
    net: systemNet(),
    ...replaced,
    lines,
  };
}
