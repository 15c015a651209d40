/** A scrape of Redis: the adapter against Debian's redis_exporter, the same server, turn by turn, both on one CPU. */

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, tempDir, toolPath } from '../../test/harness/index.ts';
import type { RunningProcess } from '../../test/harness/index.ts';
import { cpuSeconds, median } from '../harness/measure.ts';
import { startPinned, startRole, subjectCpu } from '../harness/mesh.ts';
import { startRedisServer } from '../harness/redis.ts';
import type { BenchContext, Row, Suite } from '../harness/suite.ts';

interface Subject {
  readonly url: string;
  readonly process: RunningProcess;
}

interface Turn {
  readonly perSecond: number;
  readonly cpuMs: number;
}

/** Scrapes of a turn: enough that the CPU time of one can be told from ticks of 10 ms. */
const scrapes = 200;

export const adapterRedis: Suite = {
  name: 'adapter-redis',
  needs: ['redis-server', 'redis-cli', 'prometheus-redis-exporter'],
  run: async (context) => {
    const { port } = await startRedisServer(context);
    exercise(port);
    const subjects = {
      // Debian's exporter does not know LATENCY HISTOGRAM: like for like is without.
      ours: await startOurs(context, port, false),
      theirs: await startTheirs(context, port),
      whole: await startOurs(context, port, true),
    };
    const turns = { ours: [] as Turn[], theirs: [] as Turn[], whole: [] as Turn[] };
    // A first turn of each warms it up and is not counted.
    for (let run = 0; run <= context.runs; run++) {
      for (const name of ['ours', 'theirs', 'whole'] as const) {
        context.progress(`${name}, run ${run} of ${context.runs}`);
        const turn = await scrape(subjects[name]);
        if (run > 0) turns[name].push(turn);
      }
    }
    return [
      ...rows('Redis scrape, the same metrics', 1, turns.ours, turns.theirs),
      ...rows('Redis scrape, with histograms of latencies', undefined, turns.whole, turns.theirs),
    ];
  },
};

function rows(
  work: string,
  reach: number | undefined,
  ours: readonly Turn[],
  theirs: readonly Turn[],
): Row[] {
  const middle = (turns: readonly Turn[], of: (turn: Turn) => number): number => median(turns.map(of));
  const peer = 'redis_exporter';
  return [
    {
      ...{ work, figure: 'speed', unit: 'scrapes/s', reach: reach === undefined ? {} : { atLeast: reach } },
      ours: middle(ours, ({ perSecond }) => perSecond),
      peer: { name: peer, value: middle(theirs, ({ perSecond }) => perSecond) },
    },
    {
      ...{ work, figure: 'CPU per scrape', unit: 'ms', reach: reach === undefined ? {} : { atMost: reach } },
      ours: middle(ours, ({ cpuMs }) => cpuMs),
      peer: { name: peer, value: middle(theirs, ({ cpuMs }) => cpuMs) },
    },
  ];
}

async function scrape({ url, process: running }: Subject): Promise<Turn> {
  const cpu = cpuSeconds(running.pid);
  const started = performance.now();
  for (let done = 0; done < scrapes; done++) {
    const text = await (await fetch(url)).text();
    if (!text.includes('\nredis_up 1\n')) throw new Error(`${url} did not show Redis`);
  }
  const seconds = (performance.now() - started) / 1000;
  return { perSecond: scrapes / seconds, cpuMs: ((cpuSeconds(running.pid) - cpu) / scrapes) * 1000 };
}

/** Many commands, so that there are statistics of many. */
function exercise(port: number): void {
  const commands = [
    ...['SET a 1', 'GET a', 'INCR a', 'APPEND a x', 'STRLEN a', 'EXPIRE a 1000', 'TTL a', 'EXISTS a'],
    ...['HSET h f v', 'HGET h f', 'HGETALL h', 'LPUSH l 1 2 3', 'LRANGE l 0 -1', 'LLEN l', 'RPOP l'],
    ...['SADD s 1 2', 'SMEMBERS s', 'SISMEMBER s 1', 'ZADD z 1 a', 'ZRANGE z 0 -1', 'ZSCORE z a', 'ZCARD z'],
    ...['XADD x * f v', 'XLEN x', 'PFADD p 1', 'PFCOUNT p', 'SETBIT b 1 1', 'GETBIT b 1', 'TYPE a', 'DBSIZE'],
    ...['MSET m 1 n 2', 'MGET m n', 'GETSET m 2', 'SCAN 0', 'PING', 'ECHO x', 'TIME', 'DEL m n', 'NOSUCH'],
  ];
  const input = `${commands.join('\n')}\n`.repeat(20);
  spawnSync(toolPath('redis-cli'), ['-p', String(port)], { input, timeout: 10_000 });
}

async function startOurs(context: BenchContext, port: number, latencyHistograms: boolean): Promise<Subject> {
  const config = join(tempDir(context), 'adapter.json');
  const document = {
    ...{ listen: '127.0.0.1:0', admin: '127.0.0.1:0', statsdUdp: '', statsdTcp: '', logLevel: 'warn' },
    sources: [{ name: 'redis', redis: { address: `127.0.0.1:${port}`, latencyHistograms } }],
  };
  writeFileSync(config, JSON.stringify(document));
  const started = await startRole(context, subjectCpu, 'adapter', ['--config', config]);
  return { url: `http://${started.addresses['scrape']}/metrics`, process: started.process };
}

async function startTheirs(context: BenchContext, redisPort: number): Promise<Subject> {
  const port = await freePort();
  const args = [`-web.listen-address=127.0.0.1:${port}`, `-redis.addr=redis://127.0.0.1:${redisPort}`];
  const program = toolPath('prometheus-redis-exporter');
  const running = await startPinned(context, subjectCpu, program, args, { port });
  return { url: `http://127.0.0.1:${port}/metrics`, process: running };
}
