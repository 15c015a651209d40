/** A pod with an address that no slice may hold is left out, and keeps no other pod of its Service waiting. */

import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { mergePatch, service, services, startControl } from '../harness.ts';
import type { Control } from '../harness.ts';

const pods = '/api/v1/namespaces/default/pods';
const slices =
  '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io/service-name%3Dweb';
const unusable = ['127.0.0.1', '0.0.0.0', '169.254.1.1', '224.0.0.1'];

test('addresses that no slice may hold are left out', async (t) => {
  const control = await startControl(t);
  await control.post(services, service('web'));
  for (const [i, ip] of [...unusable, '10.0.0.1'].entries()) await ready(control, `p${i}`, ip);
  t.ok(await eventually('the one usable address', () => holds(control, '10.0.0.1')));
});

test('loopback addresses are endpoints where they are allowed', async (t) => {
  const control = await startControl(t, { allowLoopbackEndpoints: true });
  await control.post(services, service('web'));
  for (const [i, ip] of [...unusable, '10.0.0.1'].entries()) await ready(control, `p${i}`, ip);
  t.ok(await eventually('both usable addresses', () => holds(control, '10.0.0.1,127.0.0.1')));
});

async function ready(control: Control, name: string, ip: string): Promise<void> {
  const containers = [{ name: 'c', image: 'i', ports: [{ containerPort: 8080 }] }];
  await control.post(pods, { metadata: { name, labels: { app: 'web' } }, spec: { containers } });
  const status = { podIP: ip, podIPs: [{ ip }], conditions: [{ type: 'Ready', status: 'True' }] };
  await control.request('PATCH', `${pods}/${name}/status`, { status }, mergePatch);
}

async function holds(control: Control, wanted: string): Promise<boolean> {
  const { items } = (await control.get(slices)).body as {
    items: { endpoints: { addresses: string[] }[] }[];
  };
  const addresses = items.flatMap(({ endpoints }) => endpoints.flatMap((endpoint) => endpoint.addresses));
  return addresses.toSorted().join(',') === wanted;
}
