/** `outrigger register` when things go wrong: the command is stuck, the control service is not there. */

import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { freePort } from '../../../test/harness/index.ts';
import { api, launch, service, startControl, started } from './outrigger.ts';
import { gone, pods, ready, register, services } from './registered.ts';

test('a failed liveness probe starts the command again', async (t) => {
  const { url } = await startControl(t);
  await api(url, 'POST', services, service('web', { app: 'web' }));
  const { port } = await register(t, url, ['--http-probe', '/', '--liveness-http-probe', '/']);
  await ready(url, 'True');
  const pid = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/`)).text();
  const before = await pid();
  await fetch(`http://127.0.0.1:${port}/sick`, { method: 'POST' });
  const again = await eventually(
    'another process answers',
    async () => {
      const now = await pid();
      return now === before ? undefined : now;
    },
    20_000,
  );
  t.not(again, before);
  const pod = await ready(url, 'True');
  t.match(pod.status, { containerStatuses: [{ restartCount: 1, ready: true }] });
});

test('asked to end while the command waits for its next start, it is not started again', async (t) => {
  const { url } = await startControl(t);
  await api(url, 'POST', services, service('web', { app: 'web' }));
  const { process: registered, port } = await register(t, url, ['--liveness-http-probe', '/']);
  await eventually('it listens', () => fetch(`http://127.0.0.1:${port}/sick`, { method: 'POST' }));
  await eventually('waiting', async () => {
    const { body } = await api(url, 'GET', `${pods}/web-0`);
    return JSON.stringify(body.status).includes('CrashLoopBackOff');
  });
  registered.signal('SIGTERM');
  t.same(await registered.exited, { code: 0, signal: null });
  t.equal(registered.stdout.match(/^begun$/gm)?.length, 1);
  await gone(url, `${pods}/web-0`);
});

test('signals that are not about the end go to the command', async (t) => {
  const { url } = await startControl(t);
  const { process: registered } = await register(t, url, ['--create-service']);
  await registered.matched(/^begun$/m);
  await ready(url, 'True');
  registered.signal('SIGHUP');
  t.ok(await registered.matched(/^reopened$/m));
});

test('the control service may be gone when the command starts, and comes later', async (t) => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
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
  const command = ['--', 'sh', '-c', 'echo begun; exec sleep 60'];
  const registered = await launch(t, ['register', ...own, '--name', 'web-0', '--create-service', ...command]);
  await registered.matched(/^begun$/m);
  await started(t, ['control', '--memory', '--listen', `127.0.0.1:${port}`, '--allow-loopback-endpoints']);
  await registered.matched(/"msg":"ready"/, 20_000);
  await ready(url, 'True');
  registered.signal('SIGTERM');
  t.same(await registered.exited, { code: 0, signal: null });
  await gone(url, `${pods}/web-0`);
});
