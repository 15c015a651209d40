import { redisSource } from '../../src/redis/source.ts';
import { testDeps } from '@outrigger/core/testing';
import { spawnSync } from 'node:child_process';
const commands = [
  'SET a 1',
  'GET a',
  'INCR a',
  'APPEND a x',
  'STRLEN a',
  'EXPIRE a 1000',
  'TTL a',
  'EXISTS a',
  'HSET h f v',
  'HGET h f',
  'HGETALL h',
  'LPUSH l 1 2 3',
  'LRANGE l 0 -1',
  'LLEN l',
  'RPOP l',
  'SADD s 1 2',
  'SMEMBERS s',
  'SISMEMBER s 1',
  'ZADD z 1 a',
  'ZRANGE z 0 -1',
  'ZSCORE z a',
  'ZCARD z',
  'XADD x * f v',
  'XLEN x',
  'PFADD p 1',
  'PFCOUNT p',
  'SETBIT b 1 1',
  'GETBIT b 1',
  'TYPE a',
  'DBSIZE',
  'MSET m 1 n 2',
  'MGET m n',
  'GETSET m 2',
  'SCAN 0',
  'PING',
  'ECHO x',
  'TIME',
  'DEL m n',
  'NOSUCH',
];
spawnSync('redis-cli', ['-p', '16391'], { input: commands.join('\n').repeat(2) + '\n', timeout: 10000 });
const s = redisSource({ address: '127.0.0.1:16391' }, { address: '127.0.0.1:16391', labels: {} }, testDeps());
const asked = { signal: new AbortController().signal, leftMs: 3000 };
for (let i = 0; i < 100; i++) await s.collect(asked);
const t = performance.now();
const c = process.cpuUsage();
let n = 0;
for (let i = 0; i < 500; i++) {
  const a = await s.collect(asked);
  n = a.families.reduce((x, f) => x + f.samples.length, 0);
}
const u = process.cpuUsage(c);
console.log({ wall: (performance.now() - t) / 500, cpuMs: (u.user + u.system) / 1000 / 500, samples: n });
s.close();
