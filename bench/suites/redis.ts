/** The Redis ambassador against nutcracker (twemproxy) and against Redis itself. */

import { startAmbassador, startNutcracker, startRedisServer } from '../harness/redis.ts';
import type { BenchContext, Row, Suite } from '../harness/suite.ts';
import { consistency, readScaling } from './redis-consistency.ts';
import { addedLatency } from './redis-latency.ts';
import { idleClients, megabyteValues } from './redis-memory.ts';
import { profileRedis } from './redis-profile.ts';
import { measureRates, pipelinedRows, plainRows, valueRows } from './redis-rates.ts';
import type { Trio } from './redis-rates.ts';

export const redis: Suite = {
  name: 'redis',
  needs: ['redis-server', 'redis-benchmark', 'nutcracker'],
  run: async (context) => {
    const trio = await startTrio(context);
    const [get, set] = [measureRates(context, trio, 'get', 1), measureRates(context, trio, 'set', 1)];
    const rows = [
      ...plainRows('GET', get),
      ...plainRows('SET', set),
      ...pipelined(context, trio, 16, 2),
      ...pipelined(context, trio, 100, 5),
      ...valueRows('GET', measureRates(context, trio, 'get', 1, sixteenKiB)),
      ...valueRows('SET', measureRates(context, trio, 'set', 1, sixteenKiB)),
      ...addedLatency(context, trio, Math.min(get.outrigger.perSecond, get.nutcracker.perSecond) / 2),
    ];
    // Fresh processes from here: the memory of one work is to be that of this work alone.
    return [
      ...rows,
      ...(await megabyteValues(context)),
      ...(await idleClients(context)),
      ...(await consistency(context)),
      ...(await readScaling(context)),
    ];
  },
  profile: profileRedis,
};

const sixteenKiB = 16 * 1024;

async function startTrio(context: BenchContext): Promise<Trio> {
  const direct = await startRedisServer(context);
  const nutcracker = await startNutcracker(context, direct);
  const outrigger = await startAmbassador(context, { primary: direct });
  return { outrigger, nutcracker, direct };
}

function pipelined(context: BenchContext, trio: Trio, pipeline: number, timesPeer: number): Row[] {
  return (['get', 'set'] as const).flatMap((command) =>
    pipelinedRows(
      `${command.toUpperCase()}, 50 clients, -P ${pipeline}`,
      measureRates(context, trio, command, pipeline),
      timesPeer,
    ),
  );
}
