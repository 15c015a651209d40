import { test } from 'tap';
import { service, services, startControl } from '../harness.ts';

test('a range that is used up refuses, keeps nothing of the refused, and recovers', async (t) => {
  const control = await startControl(t, { serviceCidr: '10.9.0.0/29' });
  const names: string[] = [];
  let refused = await control.post(services, service('first'));
  for (let i = 0; refused.status === 201; i++) {
    names.push(refused.body.metadata.name as string);
    refused = await control.post(services, service(`s${i}`));
  }
  t.match(refused, { status: 500, body: { reason: 'InternalError', message: /range is full/ } });
  t.equal((await control.get(services)).body.items.length, names.length);
  const addresses = (await control.get(services)).body.items.map(
    ({ spec }: { spec: { clusterIP: string } }) => spec.clusterIP,
  );
  t.equal(new Set(addresses).size, names.length, 'no address twice');
  await control.request('DELETE', `${services}/${names[0]}`);
  t.equal((await control.post(services, service('again'))).status, 201);
});

test('many at once never share an address or a node port', async (t) => {
  const control = await startControl(t, { serviceCidr: '10.9.0.0/26', nodePortRange: '30000-30049' });
  const ports = [{ name: 'http', port: 80 }];
  const replies = await Promise.all(
    Array.from({ length: 40 }, (_, i) =>
      control.post(services, service(`s${i}`, { spec: { type: 'NodePort', ports } })),
    ),
  );
  const created = replies.filter(({ status }) => status === 201).map(({ body }) => body.spec);
  t.ok(created.length >= 30, 'nearly all, though they chose at the same time');
  t.equal(new Set(created.map(({ clusterIP }) => clusterIP)).size, created.length);
  t.equal(new Set(created.map((spec) => spec.ports[0].nodePort)).size, created.length);
  for (const { status, body } of replies.filter((reply) => reply.status !== 201)) {
    t.ok([409, 500].includes(status), body.message);
  }
});

test('values that cannot be had are refused with their field', async (t) => {
  const control = await startControl(t);
  const { body } = await control.post(services, service('web'));
  const same = service('same', { spec: { clusterIP: body.spec.clusterIP, ports: [{ port: 80 }] } });
  const taken = await control.post(services, same);
  t.equal(taken.status, 422);
  t.match(taken.body.message, /provided IP is already allocated/);
  const outside = service('outside', { spec: { clusterIP: '192.0.2.1', ports: [{ port: 80 }] } });
  t.equal((await control.post(services, outside)).status, 422);
  const port = service('port', { spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] } });
  t.match(await control.post(services, port), {
    status: 422,
    body: { details: { causes: [{ field: 'spec.ports[0].nodePort' }] } },
  });
});

test('a dry run reserves nothing', async (t) => {
  const control = await startControl(t);
  const clusterIP = '10.96.5.5';
  const fixed = (name: string) => service(name, { spec: { clusterIP, ports: [{ port: 80 }] } });
  t.equal((await control.post(`${services}?dryRun=All`, fixed('a'))).status, 201);
  t.equal((await control.post(services, fixed('b'))).status, 201);
  t.equal((await control.post(`${services}?dryRun=All`, fixed('c'))).status, 422);
});
