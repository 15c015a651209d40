import { test } from 'tap';
import { kinds } from '@outrigger/core/api';
import { startControl } from '../harness.ts';

interface Operation {
  readonly 'x-kubernetes-action'?: string;
  readonly 'x-kubernetes-group-version-kind'?: { readonly kind: string };
  readonly parameters?: readonly { readonly name: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> };
}

test('the index names a document for each group version, under its hash for ever', async (t) => {
  const control = await startControl(t);
  const { paths } = (await control.get('/openapi/v3')).body as {
    paths: Record<string, { serverRelativeURL: string }>;
  };
  t.same(Object.keys(paths).toSorted(), [
    'api/v1',
    'apis/coordination.k8s.io/v1',
    'apis/discovery.k8s.io/v1',
    'apis/outrigger.dev/v1alpha1',
  ]);
  for (const { serverRelativeURL } of Object.values(paths)) {
    const { status, headers, body } = await control.get(serverRelativeURL);
    t.equal(status, 200);
    t.match(headers['cache-control'], /immutable/);
    t.equal(body.openapi, '3.0.0');
    const known = await control.get(serverRelativeURL, { 'if-none-match': String(headers['etag']) });
    t.equal(known.status, 304);
  }
  t.equal((await control.get('/openapi/v2')).status, 404);
});

test('a document has what kubectl reads: patch types, validation parameters, list keys', async (t) => {
  const control = await startControl(t);
  const { body } = await control.get('/openapi/v3/api/v1');
  const patch = body.paths['/api/v1/namespaces/{namespace}/services/{name}'].patch as Operation;
  t.match(patch['x-kubernetes-group-version-kind'], { group: '', version: 'v1', kind: 'Service' });
  t.equal(patch['x-kubernetes-action'], 'patch');
  t.same(
    patch.parameters?.map(({ name }) => name),
    ['dryRun', 'fieldManager', 'fieldValidation', 'force'],
  );
  t.ok('application/strategic-merge-patch+json' in (patch.requestBody?.content ?? {}));
  const { properties } = body.components.schemas['io.k8s.api.core.v1.Service'].properties.spec;
  t.match(properties.ports, {
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['port', 'protocol'],
    'x-kubernetes-patch-merge-key': 'port',
    'x-kubernetes-patch-strategy': 'merge',
  });
  const own = (await control.get('/openapi/v3/apis/outrigger.dev/v1alpha1')).body;
  const ownPatch =
    own.paths['/apis/outrigger.dev/v1alpha1/namespaces/{namespace}/trafficpolicies/{name}'].patch;
  t.notOk('application/strategic-merge-patch+json' in ownPatch.requestBody.content);
});

test('every kind has a schema, and every reference leads somewhere', async (t) => {
  const control = await startControl(t);
  const found = new Set<string>();
  for (const path of Object.keys((await control.get('/openapi/v3')).body.paths as object)) {
    const { body, text } = await control.get(`/openapi/v3/${path}`);
    for (const schema of Object.values<Record<string, { kind: string }[]>>(body.components.schemas)) {
      for (const { kind } of schema['x-kubernetes-group-version-kind'] ?? []) found.add(kind);
    }
    for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) {
      t.ok((name ?? '') in body.components.schemas, name ?? '');
    }
  }
  for (const { kind } of kinds) t.ok(found.has(kind), kind);
});
