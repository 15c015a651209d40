import type { Explanation } from '@outrigger/ambassador';
import { test } from 'tap';
import { renderRedis } from '../../src/why/redis.ts';

const explanation: Explanation = {
  command: 'GET',
  class: 'read',
  route: 'read',
  reason: 'flag readonly',
  origin: 'redis 8.0',
  mutates: false,
  refused: null,
  goes: { to: 'replica', server: '10.0.0.2:6379', why: 'it is a read' },
  pins: null,
  keys: [{ key: 'foo', slot: null, shard: 'default' }],
  realm: 'default',
  shard: 'default',
  readPolicy: 'preferReplica',
  consistency: 'session',
  replicas: [
    { server: '10.0.0.2:6379', takesReads: true, why: '', lagMs: 12, zone: 'a' },
    { server: '10.0.0.3:6379', takesReads: false, why: 'not yet asked', lagMs: null, zone: null },
  ],
};

test('a command, where it goes and why, in a few lines', (t) => {
  t.equal(
    renderRedis(explanation),
    [
      'GET: read (read)',
      '  why      flag readonly (redis 8.0)',
      '  goes     replica 10.0.0.2:6379: it is a read',
      '  again    may be sent again when its server fails',
      '  key      foo',
      '  reads    preferReplica, session consistency, realm default',
      '    10.0.0.2:6379         takes reads, 12 ms behind at most, zone a',
      '    10.0.0.3:6379         takes no reads: not yet asked',
      '',
    ].join('\n'),
  );
  t.end();
});

test('what refuses it, what it takes, and where a cluster has its keys', (t) => {
  const text = renderRedis({
    ...explanation,
    mutates: true,
    refused: 'NOPERM no',
    goes: { to: 'nobody', server: null, why: 'no server has its slot' },
    pins: 'a connection of its own until EXEC',
    keys: [
      { key: 'foo', slot: 12182, shard: 's1' },
      { key: 'bar', slot: 5061, shard: null },
    ],
  });
  for (const line of [
    '  refused  NOPERM no',
    '  goes     nobody: no server has its slot',
    '  takes    a connection of its own until EXEC',
    '  again    never sent twice once it has left, unless the server refused it',
    '  key      foo  slot 12182, shard s1',
    '  key      bar  slot 5061, served by nobody',
  ]) {
    t.ok(text.split('\n').includes(line), line);
  }
  t.end();
});
