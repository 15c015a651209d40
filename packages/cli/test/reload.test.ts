/** A configuration file changes while the daemon runs: SIGHUP, and what is refused. */

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { freePort, tempDir } from '../../../test/harness/index.ts';
import { api, service, slice, startControl, started } from './outrigger.ts';

test('SIGHUP reads the file again: ports come and go, an invalid file changes nothing', async (t) => {
  const { url } = await startControl(t);
  const backend = createServer((socket) =>
    socket.on('error', () => {}).on('data', () => socket.write('here')),
  );
  backend.listen(0, '127.0.0.1');
  await once(backend, 'listening');
  t.teardown(() => backend.close());
  await api(url, 'POST', '/api/v1/namespaces/default/services', service());
  const slices = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
  t.equal((await api(url, 'POST', slices, slice((backend.address() as AddressInfo).port))).status, 201);

  const file = join(tempDir(t), 'proxy.yaml');
  const [first, second] = [await freePort(), await freePort()];
  const write = (publish: readonly string[]): void => {
    writeFileSync(file, JSON.stringify({ control: [url], admin: '127.0.0.1:0', publish }));
  };
  write([`default/web=127.0.0.1:${first}`]);
  const proxy = await started(t, ['proxy', '--config', file]);
  const open = connect(first, '127.0.0.1');
  t.teardown(() => open.destroy());
  t.equal(await asked(open), 'here');

  write([`default/web=127.0.0.1:${first}`, `default/web:http=127.0.0.1:${second}`]);
  proxy.process.signal('SIGHUP');
  await proxy.process.matched(/configuration reloaded/);
  const other = connect(second, '127.0.0.1');
  t.teardown(() => other.destroy());
  t.equal(await asked(other), 'here');

  write(['nonsense']);
  proxy.process.signal('SIGHUP');
  await proxy.process.matched(/configuration refused, the old one stays/);
  t.match(proxy.process.stderr, /nonsense/);
  t.equal(await asked(other), 'here');
  t.equal(await asked(open), 'here');

  write([`default/web=127.0.0.1:${first}`]);
  proxy.process.signal('SIGHUP');
  await eventually('the second port is gone', () => refused(second));
  t.equal(await asked(other), 'here', 'its connections stay');
});

test('an adapter shows that its new configuration was refused, for whatever reason', async (t) => {
  const file = join(tempDir(t), 'adapter.yaml');
  const addresses = { listen: '127.0.0.1:0', admin: '127.0.0.1:0', statsdUdp: '', statsdTcp: '' };
  const write = (more: object): void => writeFileSync(file, JSON.stringify({ ...addresses, ...more }));
  write({});
  const adapter = await started(t, ['adapter', '--config', file]);
  const admin = `http://${adapter.addresses['admin']}`;
  const reload = async () => (await fetch(`${admin}/-/reload`, { method: 'POST' })).status;
  const shown = async (): Promise<string | undefined> => {
    const page = await (await fetch(`http://${adapter.addresses['scrape']}/metrics`)).text();
    return /^outrigger_adapter_config_last_reload_successful (.*)$/m.exec(page)?.[1];
  };
  t.equal(await shown(), '1');
  const source = { name: 'a', json: { url: 'http://127.0.0.1:1' } };
  for (const bad of [
    { maxSeries: 'many' },
    { sources: [{ ...source, relabel: [{ regex: '(' }] }] },
    { nonsense: 1 },
  ]) {
    write(bad);
    t.equal(await reload(), 422, JSON.stringify(bad));
    t.equal(await shown(), '0', JSON.stringify(bad));
    write({});
    t.equal(await reload(), 200);
    t.equal(await shown(), '1');
  }
});

async function asked(socket: Socket): Promise<string> {
  socket.write('?');
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return chunk.toString();
}

function refused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(true));
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
  });
}

test('POST /-/reload reads the file again, and says what is wrong with it', async (t) => {
  const file = join(tempDir(t), 'adapter.yaml');
  const any = '127.0.0.1:0';
  const write = (more: object): void =>
    writeFileSync(file, JSON.stringify({ listen: any, admin: any, statsdUdp: any, statsdTcp: '', ...more }));
  write({});
  const adapter = await started(t, ['adapter', '--config', file]);
  const reload = () => fetch(`http://${adapter.addresses['admin']}/-/reload`, { method: 'POST' });
  const labels = async () => {
    const debug = await fetch(`http://${adapter.addresses['admin']}/debug/adapter`);
    return ((await debug.json()) as { labels: object }).labels;
  };
  write({ labels: { pod: 'p' } });
  t.equal((await reload()).status, 200);
  t.strictSame(await labels(), { pod: 'p' });
  write({
    labels: { pod: 'q' },
    sources: [{ name: 's', prometheus: { url: 'http://x' }, relabel: [{ regex: '(' }] }],
  });
  const refused = await reload();
  t.equal(refused.status, 422);
  t.match(await refused.text(), 'sources[0].relabel[0]');
  t.strictSame(await labels(), { pod: 'p' });
});
