import { test } from 'tap';
import { service, services, startControl } from '../harness.ts';

const asTable = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' };
const asPartial = { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' };
const asPartialList = { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' };

interface Table {
  readonly columnDefinitions: readonly { readonly name: string; readonly priority: number }[] | null;
  readonly rows: readonly {
    readonly cells: readonly unknown[];
    readonly object?: { readonly kind: string };
  }[];
}

test('a list as a table has the columns kubectl knows', async (t) => {
  const control = await startControl(t);
  await control.post(services, service('web'));
  const { body } = await control.get(services, asTable);
  t.match(body, { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata: { resourceVersion: /^\d+$/ } });
  const { columnDefinitions, rows } = body as Table;
  t.same(
    columnDefinitions?.map(({ name }) => name),
    ['Name', 'Type', 'Cluster-IP', 'External-IP', 'Port(s)', 'Age', 'Selector'],
  );
  t.equal(columnDefinitions?.at(-1)?.priority, 1);
  t.match(rows[0]?.cells, ['web', 'ClusterIP', /^10\.96\./, '<none>', '80/TCP', /^\ds$/, 'app=web']);
  t.equal(rows[0]?.object?.kind, 'PartialObjectMetadata');
});

test('rows carry the object asked for', async (t) => {
  const control = await startControl(t);
  await control.post(services, service('web'));
  const whole = (await control.get(`${services}?includeObject=Object`, asTable)).body as Table;
  t.equal(whole.rows[0]?.object?.kind, 'Service');
  const none = (await control.get(`${services}/web?includeObject=None`, asTable)).body as Table;
  t.notOk('object' in (none.rows[0] ?? {}));
  t.equal((await control.get(`${services}?includeObject=Some`, asTable)).status, 400);
});

test('every kind makes a table', async (t) => {
  const control = await startControl(t);
  const groups = (await control.get('/apis')).body.groups as { versions: { groupVersion: string }[] }[];
  const paths = ['/api/v1', ...groups.map(({ versions }) => `/apis/${versions[0]?.groupVersion}`)];
  for (const path of paths) {
    const { resources } = (await control.get(path)).body as { resources: { name: string }[] };
    for (const { name } of resources) {
      if (!name.includes('/'))
        t.equal((await control.get(`${path}/${name}`, asTable)).body.kind, 'Table', name);
    }
  }
});

test('a watch of rows defines its columns once', async (t) => {
  const control = await startControl(t);
  const { resourceVersion } = (await control.get(services)).body.metadata;
  const late = await control.watch(`${services}?watch=1&resourceVersion=${resourceVersion}`, asTable);
  await control.post(services, service('a'));
  await control.post(services, service('b'));
  const early = await control.watch(`${services}?watch=1&resourceVersion=${resourceVersion}`, asTable);
  for (const watch of [late, early]) {
    const first = await watch.next();
    const second = await watch.next();
    t.match(first, { type: 'ADDED', object: { kind: 'Table', rows: [{ cells: ['a'] }] } });
    t.ok(Array.isArray((first.object as Table).columnDefinitions));
    t.equal((second.object as Table).columnDefinitions, null);
  }
});

test('metadata alone', async (t) => {
  const control = await startControl(t);
  await control.post(services, service('web'));
  const one = await control.get(`${services}/web`, asPartial);
  t.match(one.body, {
    kind: 'PartialObjectMetadata',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { name: 'web' },
  });
  t.notOk('spec' in one.body);
  const many = await control.get(services, asPartialList);
  t.match(many.body, { kind: 'PartialObjectMetadataList', items: [{ kind: 'PartialObjectMetadata' }] });
  const watch = await control.watch(`${services}?watch=1`, asPartialList);
  t.match(await watch.next(), {
    type: 'ADDED',
    object: { kind: 'PartialObjectMetadata', metadata: { name: 'web' } },
  });
});
