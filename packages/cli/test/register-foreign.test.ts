/** `outrigger register` against an API server that is not ours: an EndpointSlice of its own, and never a Pod. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import type { Teardown } from '../../../test/harness/index.ts';
import { service, started } from './outrigger.ts';

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly body: Record<string, unknown>;
}

/** As much of an API server as it takes: one Service, and a place for slices. */
async function foreignServer(
  t: Teardown,
): Promise<{ url: string; seen: Seen[]; slices: Map<string, unknown> }> {
  const seen: Seen[] = [];
  const slices = new Map<string, unknown>();
  const folder = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
  const answer = ({ method, path, body }: Seen): unknown => {
    if (path === '/version') return { major: '1', minor: '32', gitVersion: 'v1.32.0' };
    if (path === '/api/v1/namespaces/default/services/web') {
      const found = service('web', { app: 'web' });
      return { ...found, metadata: { ...(found['metadata'] as object), uid: 'u-1' } };
    }
    if (path === folder && method === 'POST') {
      slices.set(`${folder}/${(body['metadata'] as { name: string }).name}`, body);
      return body;
    }
    const slice = slices.get(path) as object | undefined;
    if (slice === undefined) return undefined;
    if (method === 'DELETE') slices.delete(path);
    else slices.set(path, { ...slice, ...body });
    return slices.get(path) ?? { kind: 'Status', status: 'Success' };
  };
  const server = createServer((request, response) => {
    void text(request).then((sent) => {
      const body = (sent === '' ? {} : JSON.parse(sent)) as Record<string, unknown>;
      const one = { method: request.method ?? '', path: request.url ?? '', body };
      seen.push(one);
      const found = answer(one);
      const status = { apiVersion: 'v1', kind: 'Status', status: 'Failure', reason: 'NotFound', code: 404 };
      response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(found ?? status));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, slices };
}

test('a slice of its own: ready, terminating, gone; never a Pod, never a Lease', async (t) => {
  const { url, seen, slices } = await foreignServer(t);
  const own = ['--control', url, '--service', 'default/web', '--ports', '8080:http', '--address', '10.0.0.7'];
  const more = ['--name', 'web-0', '--node-name', 'n1', '--drain-delay', '50ms', '--', 'sleep', '60'];
  const { process: registered } = await started(t, ['register', ...own, ...more]);
  const slice = await eventually('the slice', () => [...slices.values()][0]);
  t.match(slice, {
    metadata: {
      name: 'web-web-0',
      labels: {
        'kubernetes.io/service-name': 'web',
        'endpointslice.kubernetes.io/managed-by': 'register.outrigger.dev',
      },
      ownerReferences: [{ kind: 'Service', name: 'web', uid: 'u-1' }],
    },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: [{ addresses: ['10.0.0.7'], conditions: { ready: true, terminating: false }, nodeName: 'n1' }],
  });
  registered.signal('SIGTERM');
  t.same(await registered.exited, { code: 0, signal: null });
  const goodbye = seen.filter(({ method }) => method === 'PATCH').at(-1);
  t.match(goodbye?.body, {
    endpoints: [{ conditions: { ready: false, serving: true, terminating: true } }],
  });
  t.equal(slices.size, 0, 'nothing stays behind');
  t.notOk(seen.some(({ path }) => /pods|leases|events/.test(path)));
});
