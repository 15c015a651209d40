import { FakeClock } from '@outrigger/core/clock';
import { testDeps } from '@outrigger/core/testing';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'tap';
import { startPush } from '../../src/page/push.ts';
import { answering, family, newPage } from './harness.ts';

interface Body {
  resourceMetrics: { scopeMetrics: { metrics: Metric[] }[] }[];
}
interface Metric {
  name: string;
  sum?: { isMonotonic: boolean; aggregationTemporality: number; dataPoints: Point[] };
  gauge?: { dataPoints: Point[] };
  histogram?: {
    dataPoints: { bucketCounts: number[]; explicitBounds: number[]; sum: number; count: number }[];
  };
}
interface Point {
  asDouble: number;
  startTimeUnixNano: string;
  attributes: { key: string; value: { stringValue: string } }[];
}

test('everything is pushed: what was told, what was pulled, the adapter’s own', async (t) => {
  const bodies: Body[] = [];
  const paths: unknown[] = [];
  let status = 200;
  const server = createServer((request, response) => {
    paths.push([request.url, request.headers['x-token']]);
    void text(request).then((body) => {
      bodies.push(JSON.parse(body) as Body);
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const clock = new FakeClock();
  const { page, registry } = newPage(
    {
      one: answering(
        family('pulled', 'gauge', [[['k', 'v']], 4], [[['k', 'w']], Number.NaN]),
        family('pulled_total', 'counter', [[], 5], [[['k', 'inf']], Number.POSITIVE_INFINITY]),
      ),
    },
    { clock },
  );
  const own = { help: '', source: 's', ttlMs: 0 };
  registry.add(registry.open({ ...own, name: 'told_total', type: 'counter', labels: [['a', 'x"\n']] }), 3);
  const timer = registry.open({ ...own, name: 'lat', type: 'histogram', labels: [], bounds: [1, 2] });
  registry.observe(timer, 1.5, 2);
  registry.observe(timer, 9, 1);
  const config = {
    endpoint: `http://127.0.0.1:${port}`,
    intervalMs: 3_600_000,
    headers: { 'x-token': 'secret' },
  };
  const push = await startPush(config, () => page.families(), page.metrics.pushes, {
    ...testDeps().clock,
    wall: () => clock.wall(),
  });
  t.teardown(() => push.close());
  const pushing = push.push();
  await clock.advance(0);
  await pushing;
  t.strictSame(paths[0], ['/v1/metrics', 'secret']);
  const sent = new Map(
    (bodies[0]?.resourceMetrics ?? [])
      .flatMap((one) => one.scopeMetrics)
      .flatMap((one) => one.metrics)
      .map((one) => [one.name, one]),
  );
  const told = sent.get('told')?.sum;
  t.match(told, { isMonotonic: true, aggregationTemporality: 2 });
  t.match(told?.dataPoints[0], {
    asDouble: 3,
    attributes: [{ key: 'a', value: { stringValue: 'x"\n' } }],
    startTimeUnixNano: '1767225600000000000',
  });
  t.match(sent.get('lat')?.histogram?.dataPoints[0], {
    bucketCounts: [0, 2, 1],
    explicitBounds: [1, 2],
    sum: 12,
    count: 3,
  });
  const valuesOf = (points: readonly Point[] | undefined) => points?.map(({ asDouble }) => asDouble);
  t.strictSame(valuesOf(sent.get('pulled')?.gauge?.dataPoints), [4], 'JSON has no NaN');
  t.strictSame(valuesOf(sent.get('pulled_total')?.sum?.dataPoints), [5], 'the shorter name is the gauge’s');
  t.ok(sent.has('outrigger_adapter_source_up'));
  t.equal(page.metrics.pushes.get('success'), 1);
  status = 400;
  await push.push();
  t.equal(page.metrics.pushes.get('failure'), 1);
});
