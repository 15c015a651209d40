/** The dependencies of a daemon that is a process of its own. */

import { systemClock, systemRandom } from '@outrigger/core/clock';
import type { Deps } from '@outrigger/core/lifecycle';
import { createLogger } from '@outrigger/core/log';
import type { LogLevel } from '@outrigger/core/log';
import { Metrics } from '@outrigger/core/metrics';
import { systemNet } from '@outrigger/core/net';

export function processDeps(role: string, values: Readonly<Record<string, unknown>>): Deps {
  const clock = systemClock();
  const format = values['logFormat'] ?? (process.stderr.isTTY ? 'text' : 'json');
  const log = createLogger({
    level: values['logLevel'] as LogLevel,
    format: format === 'text' ? 'text' : 'json',
    write: (line) => void process.stderr.write(line),
    wall: () => clock.wall(),
    fields: { role },
  });
  return {
    clock,
    random: systemRandom(),
    log,
    metrics: new Metrics(),
    net: systemNet(),
    environment: process.env,
  };
}
