/** `outrigger up` with manifests, and `outrigger why` of what it runs. */

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'tap';
import { tempDir } from '../../../test/harness/index.ts';
import { run, service, slice, started } from './outrigger.ts';

const any = '127.0.0.1:0';

test('control, proxy and an adapter in one process; why tells who is behind a Service', async (t) => {
  const backend = createServer((socket) => void socket.on('error', () => {}).end('from the backend'));
  backend.listen(0, '127.0.0.1');
  await once(backend, 'listening');
  t.teardown(() => backend.close());
  const { port } = backend.address() as AddressInfo;
  const dir = tempDir(t);
  const adapter = {
    apiVersion: 'outrigger.dev/v1alpha1',
    kind: 'MetricsAdapter',
    metadata: { name: 'app' },
    spec: { listen: any, admin: any, statsdUdp: any, statsdTcp: '' },
  };
  writeFileSync(join(dir, 'web.json'), JSON.stringify({ kind: 'List', items: [service(), slice(port)] }));
  writeFileSync(join(dir, 'adapter.json'), JSON.stringify(adapter));

  const up = await started(t, [
    'up',
    ...['-f', dir, '--memory', '--listen', any, '--admin', any, '--publish', `default/web:http=${any}`],
  ]);
  t.equal(up.role, 'up');
  const published = Number(up.addresses['proxy/default/web:http']?.split(':').at(-1));
  t.equal(await text(connect(published, '127.0.0.1')), 'from the backend');
  const scrape = Object.entries(up.addresses).find(([name]) =>
    /^adapter\/default\/app\/(listen|scrape)$/.test(name),
  );
  t.ok(scrape, JSON.stringify(up.addresses));

  const admin = up.addresses['proxy/admin'] ?? '';
  const why = await run(t, ['why', 'svc', 'default/web:http', '--admin', admin]);
  t.equal(why.code, 0, why.stderr);
  t.match(why.stdout, /^Service default\/web, for a connection from this node$/m);
  t.match(why.stdout, new RegExp(`^ +used +127\\.0\\.0\\.1:${port} .*1 so far`, 'm'));
  const nobody = await run(t, ['why', 'svc', 'default/nobody', '--admin', admin]);
  t.equal(nobody.code, 1);
  t.match(nobody.stderr, /knows no Service "default\/nobody"/);

  up.process.signal('SIGTERM');
  t.same(await up.process.exited, { code: 0, signal: null });
});

test('a manifest with a problem stops up before anything runs', async (t) => {
  const file = join(tempDir(t), 'bad.yaml');
  writeFileSync(
    file,
    'apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec: { ports: [{ port: 0 }] }\n',
  );
  const up = await run(t, ['up', '-f', file, '--memory', '--listen', any, '--admin', any]);
  t.equal(up.code, 2);
  t.match(up.stderr, /bad\.yaml.*ports/);
  t.equal(up.stdout, '');
});
