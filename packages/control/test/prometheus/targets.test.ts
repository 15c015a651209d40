import { test } from 'tap';
import { formatMicroTime } from '@outrigger/core/api';
import { startControl } from '../harness.ts';
import type { Control } from '../harness.ts';

interface Sidecar {
  readonly role?: string;
  readonly namespace?: string;
  readonly scrape?: string;
  readonly admin?: string;
  readonly renewedMs?: number;
}

async function present(control: Control, name: string, sidecar: Sidecar): Promise<void> {
  const { role = 'proxy', namespace = 'default', scrape, admin, renewedMs } = sidecar;
  const { status, text } = await control.post(`/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`, {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name: `outrigger-${role}-${name}`,
      labels: { 'outrigger.dev/role': role },
      annotations: {
        ...(scrape === undefined ? {} : { 'outrigger.dev/scrape': scrape }),
        ...(admin === undefined ? {} : { 'outrigger.dev/admin': admin }),
      },
    },
    spec: {
      holderIdentity: name,
      leaseDurationSeconds: 40,
      renewTime: formatMicroTime(renewedMs ?? control.deps.clock.wall()),
    },
  });
  if (status !== 201) throw new Error(text);
}

async function targets(control: Control, query = ''): Promise<unknown[]> {
  const { status, headers, body } = await control.get(`/sd/prometheus${query}`);
  if (status !== 200 || headers['content-type'] !== 'application/json') throw new Error(JSON.stringify(body));
  return (body as { targets: string[]; labels: Record<string, string> }[]).filter(
    ({ labels }) => labels['outrigger_role'] !== 'control',
  );
}

test('every sidecar that is there is a target with scheme, path and labels', async (t) => {
  const control = await startControl(t);
  t.strictSame(await targets(control), [], 'none: an empty list, not an error');
  await present(control, 'web-0', { scrape: 'https://10.0.0.7:9464/own', admin: '10.0.0.7:9464' });
  await present(control, 'gone', {
    scrape: 'http://10.0.0.8:1/metrics',
    renewedMs: control.deps.clock.wall() - 41_000,
  });
  await present(control, 'mute', {});
  await present(control, 'local', { scrape: 'unix:/run/proxy.sock' });
  t.strictSame(await targets(control), [
    {
      targets: ['10.0.0.7:9464'],
      labels: {
        __scheme__: 'https',
        __metrics_path__: '/own',
        namespace: 'default',
        outrigger_role: 'proxy',
        outrigger_instance: 'web-0',
      },
    },
  ]);
});

test("an adapter's own metrics are a target of their own", async (t) => {
  const control = await startControl(t);
  await present(control, 'a', { role: 'adapter', scrape: 'http://[::1]:9102/metrics', admin: '[::1]:9103' });
  t.match(await targets(control), [
    { targets: ['[::1]:9102'], labels: { __metrics_path__: '/metrics' } },
    { targets: ['[::1]:9103'], labels: { __metrics_path__: '/metrics', outrigger_page: 'admin' } },
  ]);
});

test('labels of the pod, and filters by namespace and labels', async (t) => {
  const control = await startControl(t);
  await control.post('/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop' },
  });
  await control.post('/api/v1/namespaces/shop/pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'cart-0', labels: { app: 'cart', tier: 'back' } },
    spec: { containers: [{ name: 'cart', image: 'cart' }] },
  });
  await present(control, 'cart-0', { namespace: 'shop', scrape: 'http://10.0.0.9:9102/metrics' });
  await present(control, 'other', { scrape: 'http://10.0.0.10:9102/metrics' });
  const cart = [{ targets: ['10.0.0.9:9102'], labels: { namespace: 'shop', pod: 'cart-0', app: 'cart' } }];
  for (const query of [
    '?namespace=shop',
    '?labelSelector=tier%3Dback',
    '?namespace=shop&labelSelector=app',
  ]) {
    const found = await targets(control, query);
    t.match(found, cart, query);
    t.equal(found.length, 1, query);
  }
  t.equal((await targets(control, '?labelSelector=outrigger.dev/role=proxy')).length, 2);
  t.strictSame(await targets(control, '?namespace=none'), []);
  t.equal((await control.get('/sd/prometheus?labelSelector=%3D')).status, 400);
});

test('the pod is found by the names sidecars give themselves: its own, and a port', async (t) => {
  const control = await startControl(t);
  for (const name of ['cart-0', 'cart'])
    await control.post('/api/v1/namespaces/default/pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, labels: { app: name } },
      spec: { containers: [{ name: 'cart', image: 'cart' }] },
    });
  const page = { scrape: 'http://10.0.0.9:9102/metrics', admin: '10.0.0.9:9103' };
  await present(control, 'cart-0-9102', { role: 'adapter', ...page });
  await present(control, 'cart-0-9103', { role: 'ambassador', ...page });
  await present(control, 'cart-1', page);
  const found = (await targets(control)) as { labels: Record<string, string> }[];
  t.strictSame(
    found.map(({ labels }) => [labels['outrigger_instance'], labels['pod'], labels['app']]),
    [
      ['cart-0-9102', 'cart-0', 'cart-0'],
      ['cart-0-9102', 'cart-0', 'cart-0'],
      ['cart-0-9103', 'cart-0', 'cart-0'],
      ['cart-0-9103', 'cart-0', 'cart-0'],
      ['cart-1', undefined, undefined],
      ['cart-1', undefined, undefined],
    ],
  );
  t.equal((await targets(control, '?labelSelector=app%3Dcart-0')).length, 4);
});

test('the control service names itself as it was asked', async (t) => {
  const control = await startControl(t);
  const { body } = await control.get('/sd/prometheus');
  t.match(body, [
    { targets: [new URL(control.url).host], labels: { __scheme__: 'http', outrigger_role: 'control' } },
  ]);
});
