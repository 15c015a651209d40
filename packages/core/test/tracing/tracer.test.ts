import type { ServerResponse } from 'node:http';
import { registerHooks } from 'node:module';
import { test } from 'tap';
import { FakeClock } from '../../src/clock/index.ts';
import { attributesOf, eventually, startOtlpReceiver, testDeps } from '../../src/testing/index.ts';
import { parseTracingEndpoint, Tracer } from '../../src/tracing/index.ts';
import type { FinishedSpan } from '../../src/tracing/index.ts';

const span: FinishedSpan = {
  name: 'GET',
  kind: 'client',
  startMs: 1000,
  endMs: 1002.5,
  attributes: { 'db.system.name': 'redis', 'db.operation.batch.size': 3, deep: true },
};
const service = 'test';

test('nothing of the SDK is loaded until an endpoint is configured', async (t) => {
  const loaded: string[] = [];
  const hooks = registerHooks({
    resolve: (specifier, context, next) => {
      if (specifier.startsWith('@opentelemetry/')) loaded.push(specifier);
      return next(specifier, context);
    },
  });
  t.teardown(() => hooks.deregister());
  const tracer = new Tracer(testDeps());
  await tracer.configure({ endpoint: undefined, sample: 1, service });
  t.equal(tracer.sampled(), false);
  tracer.span(span);
  await tracer.configure({ endpoint: 'http://127.0.0.1:4318', sample: 0, service });
  t.equal(tracer.sampled(), false);
  t.same(loaded, []);
  await tracer.configure({ endpoint: 'http://127.0.0.1:4318', sample: 1, service });
  t.not(loaded.length, 0);
  await tracer.close();
});

test('spans arrive with their times, attributes and status', async (t) => {
  const receiver = await startOtlpReceiver(t);
  const clock = new FakeClock();
  const deps = testDeps({ clock });
  const tracer = new Tracer(deps);
  await tracer.configure({
    endpoint: receiver.url,
    sample: 1,
    service,
    resource: { 'service.instance.id': 'a' },
  });
  t.equal(tracer.sampled(), true);
  tracer.span(span);
  tracer.span({ ...span, kind: 'server', error: 'WRONGTYPE' });
  await tracer.close();
  const [first, second] = receiver.spans();
  const wall = (ms: number): number => ms + clock.wall() - clock.now();
  const ms = (nanos = '0'): number => Math.round(Number(BigInt(nanos) / 1_000n)) / 1_000;
  t.same(receiver.paths, ['/v1/traces']);
  t.match(first, { name: 'GET', kind: 3, status: { code: 0 } });
  t.same([first?.startTimeUnixNano, first?.endTimeUnixNano].map(ms), [wall(1000), wall(1002.5)]);
  t.same(attributesOf(first ?? { attributes: [] }), span.attributes);
  t.match(second, { kind: 2, status: { code: 2, message: 'WRONGTYPE' } });
  t.not(first?.traceId, second?.traceId);
  t.match(receiver.resource(), { 'service.name': 'test', 'service.instance.id': 'a' });
  t.match(await deps.metrics.page(), /outrigger_tracing_spans_total\{result="sent"\} 2\n/);
});

test('closing does not wait for a collector that does not answer', async (t) => {
  const unanswered: ServerResponse[] = [];
  const receiver = await startOtlpReceiver(t, (_, response) => void unanswered.push(response));
  const clock = new FakeClock();
  const tracer = new Tracer(testDeps({ clock }));
  await tracer.configure({ endpoint: receiver.url, sample: 1, service });
  tracer.span(span);
  const closed = tracer.close();
  await eventually('a request that waits', () => unanswered.length === 1);
  await clock.advance(2_000);
  await closed;
  t.equal(unanswered[0]?.writableEnded, false, 'still unanswered');
  unanswered[0]?.writeHead(400).end('{}');
});

test('endpoints', (t) => {
  t.equal(parseTracingEndpoint('http://127.0.0.1:4318').href, 'http://127.0.0.1:4318/v1/traces');
  t.equal(parseTracingEndpoint('https://host/otlp').href, 'https://host/otlp');
  for (const text of ['127.0.0.1:4318', 'grpc://host:4317', 'http://user:secret@host', '']) {
    try {
      parseTracingEndpoint(text);
      t.fail(text);
    } catch (error) {
      t.match(error, { code: 'TRACING_ENDPOINT_INVALID' });
      t.notMatch(String(error), /secret/);
    }
  }
  t.end();
});
