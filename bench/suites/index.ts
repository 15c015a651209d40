/** Every suite, in the order of the table. */

import type { Suite } from '../harness/suite.ts';
import { adapterRedis } from './adapter-redis.ts';
import { adapterRender } from './adapter-render.ts';
import { adapterStatsd } from './adapter-statsd.ts';
import { fanout } from './fanout.ts';
import { l4 } from './l4.ts';
import { programming } from './programming.ts';
import { redis } from './redis.ts';
import { startup } from './startup.ts';
import { writes } from './writes.ts';

export const suites: readonly Suite[] = [
  l4,
  redis,
  programming,
  fanout,
  writes,
  startup,
  adapterStatsd,
  adapterRender,
  adapterRedis,
];
