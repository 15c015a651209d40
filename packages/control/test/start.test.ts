import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { service, services, startControl } from './harness.ts';
import type { Control } from './harness.ts';

const pods = '/api/v1/namespaces/default/pods';
const slices = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';

interface Slice {
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly conditions: { readonly ready: boolean };
  }[];
}

async function endpointsOf(control: Control): Promise<string[]> {
  const { items } = (await control.get(`${slices}?labelSelector=kubernetes.io/service-name%3Dweb`)).body as {
    items: Slice[];
  };
  return items.flatMap(({ endpoints }) =>
    (endpoints ?? []).map(({ addresses, conditions }) => `${addresses[0]} ${conditions.ready}`),
  );
}

test('a pod of a Service becomes an endpoint, and goes with it', async (t) => {
  const control = await startControl(t);
  await control.post(services, service('web'));
  const { body: pod } = await control.post(pods, {
    metadata: { name: 'web-1', labels: { app: 'web' } },
    spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 8080 }] }] },
  });
  const ready = { type: 'Ready', status: 'True' };
  const status = { phase: 'Running', podIP: '10.1.2.3', podIPs: [{ ip: '10.1.2.3' }], conditions: [ready] };
  await control.request('PUT', `${pods}/web-1/status`, { ...pod, status });
  await eventually('the endpoint is ready', async () => (await endpointsOf(control))[0] === '10.1.2.3 true');
  t.match((await control.get('/api/v1/namespaces/default/endpoints/web')).body.subsets, [
    { addresses: [{ ip: '10.1.2.3' }], ports: [{ port: 8080 }] },
  ]);
  await control.request('DELETE', `${pods}/web-1`);
  await eventually(
    'a terminating endpoint is not ready',
    async () => (await endpointsOf(control))[0] === '10.1.2.3 false',
  );
  await control.request('DELETE', `${pods}/web-1?gracePeriodSeconds=0`);
  await eventually('the endpoint is gone', async () => (await endpointsOf(control)).length === 0);
  await control.request('DELETE', `${services}/web`);
  await eventually(
    'the slices go with the Service',
    async () => (await control.get(slices)).body.items.length === 0,
  );
});

test('two services on one machine do not share their state', async (t) => {
  const one = await startControl(t);
  const two = await startControl(t);
  await one.post(services, service('only-here'));
  t.equal((await two.get(`${services}/only-here`)).status, 404);
});

test('closing ends everything, twice is harmless', async (t) => {
  const control = await startControl(t);
  const watch = await control.watch(`${services}?watch=1`);
  await control.daemon.close();
  t.same(await watch.ended(), []);
  await control.daemon.close();
  await t.rejects(control.get('/healthz'), { code: 'ECONNREFUSED' });
});
