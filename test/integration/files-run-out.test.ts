/** A proxy that may open no more files: connections fail, the process does not, and afterwards all is well. */

import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { startProcess, tempDir } from '../harness/index.ts';
import { Control } from './mesh/daemons.ts';
import { addEndpoint, createService } from './mesh/objects.ts';
import { attempt, backend, portOf } from './mesh/traffic.ts';

const main = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));
/** Enough to start, not for what comes. */
const files = 80;

test('out of files', async (t) => {
  const control = await new Control(t).start();
  const client = await control.client();
  await createService(client);
  const { port: answer } = await backend(t);
  await addEndpoint(client, answer);
  const flags = ['--control', control.url, '--admin', '127.0.0.1:0', '--publish', 'default/web=127.0.0.1:0'];
  const proxy = await startProcess(
    t,
    'sh',
    [
      '-c',
      `ulimit -n ${files}; exec "$0" --conditions=@outrigger/source "$@"`,
      process.execPath,
      main,
      'proxy',
      ...flags,
    ],
    { ready: /"msg":"ready".*\n/, cwd: tempDir(t) },
  );
  const { addresses } = JSON.parse(proxy.stdout) as { addresses: Record<string, string> };
  const port = portOf(addresses['default/web']);
  t.equal(await attempt(port), String(answer));

  const held: Socket[] = Array.from({ length: files * 2 }, () =>
    connect(port, '127.0.0.1').on('error', () => {}),
  );
  t.teardown(() => held.forEach((socket) => socket.destroy()));
  const ended = held.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
  await Promise.race([...ended, proxy.exited]);
  t.ok(await eventually('some are refused', () => held.some((socket) => socket.destroyed)));
  for (const socket of held) socket.destroy();

  await eventually('answers again', async () => (await attempt(port)) === String(answer));
  const metrics = await (await fetch(`http://${addresses['admin']}/metrics`)).text();
  t.match(metrics, /outrigger_proxy_failures_total\{[^}]*reason="local-resources"\} [1-9]/);
  t.notMatch(metrics, /outrigger_proxy_ejections_total\{[^}]*\} [1-9]/, 'the endpoint is not to blame');
  proxy.signal('SIGTERM');
  t.same(await proxy.exited, { code: 0, signal: null });
});
