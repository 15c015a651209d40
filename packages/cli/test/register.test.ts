/** `outrigger register`: what a control service is told of a command, from its first probe to its end. */

import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { api, run, service, startControl } from './outrigger.ts';
import { condition, events, gone, leases, pods, ready, register, services } from './registered.ts';

test('a Pod with the Service’s labels, ready by its probe, alive by its Lease, gone in the end', async (t) => {
  const { url } = await startControl(t);
  await api(url, 'POST', services, service('web', { app: 'web' }));
  const { process: registered, port } = await register(t, url, ['--http-probe', '/healthz']);

  const pod = await ready(url, 'True');
  t.match(pod.metadata.labels, { app: 'web', 'outrigger.dev/registered': 'true' });
  t.match(pod.spec, { containers: [{ ports: [{ containerPort: port, name: 'http' }] }] });
  t.match(pod.status, { phase: 'Running', podIP: '127.0.0.1' });

  const lease = async (): Promise<unknown> =>
    (await api(url, 'GET', `${leases}/web-0`)).body.spec['renewTime'];
  const first = await eventually('a Lease', lease);
  t.ok(await eventually('it is renewed', async () => (await lease()) !== first));

  await fetch(`http://127.0.0.1:${port}/sick`, { method: 'POST' });
  t.match(condition(await ready(url, 'False'), 'Ready').message, /503/);
  const told = await eventually('an Event says why', async () => {
    const { body } = await api(url, 'GET', events);
    return body.items?.find((one) => (one as unknown as { reason: string }).reason === 'Unhealthy');
  });
  t.match(told, {
    type: 'Warning',
    message: /Readiness probe failed.*503/,
    involvedObject: { name: 'web-0' },
  });
  await fetch(`http://127.0.0.1:${port}/healthy`, { method: 'POST' });
  await ready(url, 'True');

  registered.signal('SIGTERM');
  await eventually('terminating, and still there', async () => {
    const { body } = await api(url, 'GET', `${pods}/web-0`);
    return body.metadata.deletionTimestamp !== undefined;
  });
  t.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200, 'it still serves who has not heard');
  t.same(await registered.exited, { code: 0, signal: null });
  t.equal((await api(url, 'GET', `${pods}/web-0`)).status, 404);
  t.equal((await api(url, 'GET', `${leases}/web-0`)).status, 404);
  await t.rejects(fetch(`http://127.0.0.1:${port}/`), 'the command has ended');
});

test('a Service that is missing or selects nothing', async (t) => {
  const { url } = await startControl(t);
  const own = [
    '--control',
    url,
    '--service',
    'default/web',
    '--ports',
    '8080:http',
    '--address',
    '127.0.0.1',
  ];
  const missing = await run(t, ['register', ...own, '--', 'sleep', '60']);
  t.equal(missing.code, 1);
  t.match(missing.stderr, /there is no Service default\/web[^]*--create-service/);

  await api(url, 'POST', services, service('web'));
  const bare = await run(t, ['register', ...own, '--', 'sleep', '60']);
  t.equal(bare.code, 1);
  t.match(bare.stderr, /has no selector[^]*--create-service/);
  t.same((await api(url, 'GET', pods)).body.items, [], 'nothing was written');

  await register(t, url, ['--create-service']);
  t.match((await api(url, 'GET', `${services}/web`)).body.spec, {
    selector: { 'app.kubernetes.io/name': 'web' },
  });
  await ready(url, 'True');
});

test('--create-service makes a Service where there is none', async (t) => {
  const { url } = await startControl(t);
  await register(t, url, ['--create-service']);
  t.match((await api(url, 'GET', `${services}/web`)).body.spec, {
    selector: { 'app.kubernetes.io/name': 'web' },
    ports: [{ name: 'http', port: 80, targetPort: 'http' }],
  });
});

test('deleting the Pod ends the command', async (t) => {
  const { url } = await startControl(t);
  await api(url, 'POST', services, service('web', { app: 'web' }));
  const { process: registered, port } = await register(t, url);
  await ready(url, 'True');
  const deleted = await api(url, 'DELETE', `${pods}/web-0`, { gracePeriodSeconds: 30 });
  t.equal(deleted.status, 200);
  t.same(await registered.exited, { code: 0, signal: null });
  await t.rejects(fetch(`http://127.0.0.1:${port}/`));
  await gone(url, `${pods}/web-0`);
});

test('a command that ends takes its Pod along and its exit code to the caller', async (t) => {
  const { url } = await startControl(t);
  await api(url, 'POST', services, service('web', { app: 'web' }));
  const own = [
    '--control',
    url,
    '--service',
    'default/web',
    '--ports',
    '8080:http',
    '--address',
    '127.0.0.1',
  ];
  const ended = await run(t, ['register', ...own, '--name', 'web-0', '--', 'sh', '-c', 'exit 7']);
  t.equal(ended.code, 7);
  await gone(url, `${pods}/web-0`);
  const none = await run(t, ['register', ...own, '--name', 'web-0', '--', '/nowhere/command']);
  t.equal(none.code, 1);
  t.match(none.stderr, /cannot start \/nowhere\/command/);
});
