import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'tap';
import { eventually, startOtlpReceiver, testDeps } from '../../src/testing/index.ts';
import { OtlpSink } from '../../src/tracing/otlp.ts';
import type { FinishedSpan, SpanCounts } from '../../src/tracing/span.ts';

const span: FinishedSpan = { name: 'GET', kind: 'client', startMs: 1, endMs: 2, attributes: {} };
const service = 'test';

test('a collector that is gone costs spans, which are counted and told once', async (t) => {
  const deps = testDeps();
  const counts = counted();
  const url = `http://127.0.0.1:${await closedPort()}/v1/traces`;
  const sink = new OtlpSink({ url, service, resource: {}, exportTimeoutMs: 100 }, counts, deps);
  for (let i = 0; i < 5_000; i++) sink.add(span);
  t.equal(counts.total.dropped, 904, 'those above the limit');
  await sink.close();
  await eventually('all failed', () => counts.total.failed === 4_096);
  t.equal(counts.total.sent, 0);
  t.equal(deps.lines.filter((line) => line.includes('spans are not taken')).length, 1);
});

test('a collector that takes spans again is told once', async (t) => {
  let status = 400;
  const receiver = await startOtlpReceiver(t, (_, response) => void response.writeHead(status).end('{}'));
  const deps = testDeps();
  const counts = counted();
  const sink = new OtlpSink({ url: `${receiver.url}/v1/traces`, service, resource: {} }, counts, deps);
  const batch = async (): Promise<void> => {
    const before = counts.total.failed + counts.total.sent;
    for (let i = 0; i < 512; i++) sink.add(span);
    await eventually('told', () => counts.total.failed + counts.total.sent === before + 512);
  };
  await batch();
  await batch();
  status = 200;
  await batch();
  await batch();
  t.same(counts.total, { sent: 1024, failed: 1024, dropped: 0 });
  const told = deps.lines.filter((line) => line.includes('spans are'));
  t.match(told, [/spans are not taken/, /spans are taken again/]);
  t.equal(told.length, 2);
  await sink.close();
});

function counted(): SpanCounts & { readonly total: Record<'sent' | 'failed' | 'dropped', number> } {
  const total = { sent: 0, failed: 0, dropped: 0 };
  return {
    total,
    sent: (count) => (total.sent += count),
    failed: (count) => (total.failed += count),
    dropped: (count) => (total.dropped += count),
  };
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
