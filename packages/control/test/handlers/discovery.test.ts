import { test } from 'tap';
import { startControl } from '../harness.ts';

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';

interface Resource {
  readonly resource: string;
  readonly verbs: readonly string[];
  readonly subresources?: readonly { readonly subresource: string }[];
}

test('aggregated discovery tells every resource, with an ETag', async (t) => {
  const control = await startControl(t);
  const core = await control.get('/api', { accept: aggregated });
  t.equal(
    core.headers['content-type'],
    'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  );
  t.match(core.headers, { 'cache-control': 'public', vary: 'Accept' });
  t.match(core.body, {
    kind: 'APIGroupDiscoveryList',
    items: [{ versions: [{ version: 'v1', freshness: 'Current' }] }],
  });
  const resources = core.body.items[0].versions[0].resources as Resource[];
  const services = resources.find(({ resource }) => resource === 'services');
  t.match(services, {
    responseKind: { group: '', version: 'v1', kind: 'Service' },
    scope: 'Namespaced',
    singularResource: 'service',
    shortNames: ['svc'],
    categories: ['all'],
    subresources: [{ subresource: 'status', verbs: ['get', 'patch', 'update'] }],
  });
  t.same(services?.verbs, [
    'create',
    'delete',
    'deletecollection',
    'get',
    'list',
    'patch',
    'update',
    'watch',
  ]);
  const groups = (await control.get('/apis', { accept: aggregated })).body.items as {
    metadata: { name: string };
  }[];
  t.same(
    groups.map(({ metadata }) => metadata.name),
    ['coordination.k8s.io', 'discovery.k8s.io', 'outrigger.dev'],
  );
  const known = await control.get('/api', {
    accept: aggregated,
    'if-none-match': String(core.headers['etag']),
  });
  t.match(known, { status: 304, text: '' });
});

test('a client that knows only v2beta1 gets the older form', async (t) => {
  const control = await startControl(t);
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json';
  t.equal((await control.get('/api', { accept })).body.kind, 'APIVersions');
});

test('legacy discovery', async (t) => {
  const control = await startControl(t);
  t.match((await control.get('/api')).body, { kind: 'APIVersions', versions: ['v1'] });
  const discovery = { groupVersion: 'discovery.k8s.io/v1', version: 'v1' };
  const group = { name: 'discovery.k8s.io', versions: [discovery], preferredVersion: discovery };
  const groups = (await control.get('/apis')).body.groups as object[];
  t.ok(groups.some((candidate) => JSON.stringify(candidate) === JSON.stringify(group)));
  t.match((await control.get('/apis/discovery.k8s.io')).body, {
    kind: 'APIGroup',
    apiVersion: 'v1',
    ...group,
  });
  const list = (await control.get('/api/v1')).body as { resources: { name: string; singularName: string }[] };
  t.match(list, { kind: 'APIResourceList', groupVersion: 'v1' });
  t.match(
    list.resources.find(({ name }) => name === 'services'),
    {
      singularName: 'service',
      namespaced: true,
      kind: 'Service',
      shortNames: ['svc'],
      storageVersionHash: /^.+=$/,
    },
  );
  t.ok(list.resources.some(({ name }) => name === 'services/status'));
  t.ok(list.resources.some(({ name }) => name === 'namespaces/finalize'));
  t.equal((await control.get('/apis/nothing.example')).status, 404);
});

test('what discovery tells is what is served', async (t) => {
  const control = await startControl(t);
  for (const { metadata, versions } of [
    ...(await control.get('/api', { accept: aggregated })).body.items,
    ...(await control.get('/apis', { accept: aggregated })).body.items,
  ]) {
    for (const { version, resources } of versions) {
      for (const { resource, responseKind } of resources) {
        const base = metadata.name === undefined ? `/api/${version}` : `/apis/${metadata.name}/${version}`;
        const { status, body } = await control.get(`${base}/${resource}`);
        t.equal(status, 200, resource);
        t.equal(body.kind, `${responseKind.kind}List`);
      }
    }
  }
});
