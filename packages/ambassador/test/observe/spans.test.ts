import { attributesOf, startOtlpReceiver, testDeps } from '@outrigger/core/testing';
import type { ReceivedSpan } from '@outrigger/core/testing';
import { Tracer } from '@outrigger/core/tracing';
import { test } from 'tap';
import type { Test } from 'tap';
import { Place } from '../../src/observe/names.ts';
import { traceCommands } from '../../src/observe/spans.ts';
import type { AnsweredCommands } from '../../src/observe/spans.ts';
import { serverAt } from '../../src/upstream/server.ts';

const get: AnsweredCommands = {
  commands: ['GET'],
  count: 1,
  server: serverAt({ kind: 'tcp', host: 'redis-1.example', port: 6379 }),
  peer: { address: '10.0.0.1', port: 6379 },
  place: Place.replica,
  database: 3,
  startMs: 10,
  endMs: 12,
  error: undefined,
};

async function received(t: Test, ...answered: AnsweredCommands[]): Promise<ReceivedSpan[]> {
  const receiver = await startOtlpReceiver(t);
  const tracer = new Tracer(testDeps());
  await tracer.configure({ endpoint: receiver.url, sample: 1, service: 'outrigger-ambassador' });
  for (const one of answered) traceCommands(tracer, one);
  await tracer.close();
  return receiver.spans();
}

test('a command becomes a client span of the conventions for Redis', async (t) => {
  const [span] = await received(t, get);
  t.match(span, { name: 'GET', kind: 3, status: { code: 0 } });
  t.same(attributesOf(span ?? { attributes: [] }), {
    'db.system.name': 'redis',
    'db.operation.name': 'GET',
    'db.namespace': '3',
    'server.address': 'redis-1.example',
    'server.port': 6379,
    'network.transport': 'tcp',
    'network.peer.address': '10.0.0.1',
    'network.peer.port': 6379,
    'outrigger.redis.route': 'replica',
  });
});

test('an error reply is the status, by its first word', async (t) => {
  const [span] = await received(t, { ...get, error: 'WRONGTYPE' });
  t.match(span, { status: { code: 2 } });
  t.match(attributesOf(span ?? { attributes: [] }), {
    'db.response.status_code': 'WRONGTYPE',
    'error.type': 'WRONGTYPE',
  });
});

test('what left together is one span with its size', async (t) => {
  const spans = await received(
    t,
    { ...get, commands: ['GET', 'GET', 'GET'], count: 3 },
    { ...get, commands: ['SET', 'GET'], count: 2 },
    { ...get, commands: ['CONFIG|GET'] },
  );
  t.same(
    spans.map((span) => [span.name, attributesOf(span)['db.operation.batch.size']]),
    [
      ['PIPELINE GET', 3],
      ['PIPELINE', 2],
      ['CONFIG GET', undefined],
    ],
  );
});

test('a server on a unix socket', async (t) => {
  const server = serverAt({ kind: 'unix', path: '/run/redis.sock' });
  const [span] = await received(t, { ...get, server, peer: { address: '/run/redis.sock', port: 0 } });
  const attributes = attributesOf(span ?? { attributes: [] });
  t.match(attributes, { 'server.address': '/run/redis.sock', 'network.transport': 'unix' });
  t.equal(attributes['server.port'], undefined);
});
