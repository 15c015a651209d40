/** A source that names a Service, in a real control service: every endpoint is asked for itself, and they come and go without a reload. */

import { adapterDaemon } from '@outrigger/adapter';
import { endpointSliceKind, serviceKind } from '@outrigger/core/api';
import { eventually } from '@outrigger/core/testing';
import { resourcePath } from '@outrigger/core/watch';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'tap';
import type { Test } from 'tap';
import { Control, start } from './mesh/daemons.ts';

const namespace = 'shop';

async function application(t: Test, host: string, port: number): Promise<number> {
  const server = createServer(({ url }, response) => {
    const isJson = url === '/status';
    response.end(isJson ? `{"at": ${host.split('.').at(-1)}}` : `requests_total{path="${url}"} 1\n`);
  }).listen(port, host);
  await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject));
  t.teardown(() => server.close());
  t.teardown(() => server.closeAllConnections());
  return (server.address() as AddressInfo).port;
}

test('the endpoints of a Service are sources of their own, and come and go', async (t) => {
  const port = await application(t, '127.0.0.1', 0);
  await application(t, '127.0.0.2', port);
  const control = await new Control(t).start();
  const client = await control.client();
  const post = (kind: typeof serviceKind | typeof endpointSliceKind, body: object): Promise<unknown> =>
    client.request({ method: 'POST', path: resourcePath(kind, { namespace }), body });
  const slice = (name: string, address: string) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace, labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port }],
    endpoints: [
      {
        addresses: [address],
        conditions: { ready: true },
        nodeName: `node-${name}`,
        targetRef: { kind: 'Pod', name, namespace },
      },
    ],
  });
  await client.request({
    method: 'POST',
    path: '/api/v1/namespaces',
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
  });
  await post(serviceKind, {
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace } },
    spec: { ports: [{ name: 'http', port: 80, targetPort: port }] },
  });
  const document = {
    ...{ listen: '127.0.0.1:0', admin: '127.0.0.1:0', statsdUdp: '', statsdTcp: '' },
    control: [control.url],
    modules: { default: { metrics: [{ name: 'at', path: '{ .at }' }] } },
    sources: [
      { name: 'web', prometheus: { url: 'http://svc:shop/web:http/metrics?all=1' } },
      { name: 'stock', json: { url: 'http://svc:shop/web/status' } },
    ],
  };
  const { daemon } = await start(t, adapterDaemon, document);
  const page = async () => (await fetch(`http://${daemon.addresses['scrape']}/metrics`)).text();
  const ups = async () => (await page()).match(/^outrigger_adapter_source_up\{.*$/gm) ?? [];
  const up = (name: string, endpoint: string, value: number): string =>
    `outrigger_adapter_source_up{source="${name}",endpoint="${endpoint}"} ${value}`;
  const shown = (expected: readonly string[]): Promise<unknown> =>
    eventually(`the page shows ${expected.join(' and ') || 'nothing'}`, async () => {
      const now = await ups();
      return JSON.stringify(now.toSorted()) === JSON.stringify(expected.toSorted()) || undefined;
    });
  t.strictSame(await ups(), [up('web', '', 0), up('stock', '', 0)], 'a Service without endpoints is down');

  const at = (host: number): string => `http://127.0.0.${host}:${port}`;
  await post(endpointSliceKind, slice('web-1', '127.0.0.1'));
  await shown([up('web', `${at(1)}/metrics`, 1), up('stock', `${at(1)}/status`, 1)]);
  await post(endpointSliceKind, slice('web-2', '127.0.0.2'));
  await post(endpointSliceKind, slice('web-3', '127.0.0.3'));
  await shown(
    [1, 2, 3].flatMap((host) => [
      up('web', `${at(host)}/metrics`, host === 3 ? 0 : 1),
      up('stock', `${at(host)}/status`, host === 3 ? 0 : 1),
    ]),
  );
  const text = await page();
  for (const host of [1, 2]) {
    const labels = `namespace="shop",pod="web-${host}",node="node-web-${host}"`;
    t.match(text, `\nrequests_total{path="/metrics?all=1",${labels},source="web"} 1\n`);
    t.match(text, `\nat{${labels}} ${host}\n`);
  }
  const path = resourcePath(endpointSliceKind, { namespace, name: 'web-1' });
  await client.request({ method: 'DELETE', path });
  await client.request({ method: 'DELETE', path: path.replace('web-1', 'web-3') });
  await shown([up('web', `${at(2)}/metrics`, 1), up('stock', `${at(2)}/status`, 1)]);
  t.notMatch(await page(), 'web-1');
  await control.stop();
  t.match(
    await page(),
    '\nat{namespace="shop",pod="web-2",node="node-web-2"} 2\n',
    'without a control service, too',
  );
});
