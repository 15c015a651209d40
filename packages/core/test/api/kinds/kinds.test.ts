import type { Schema } from '@outrigger/core/api';
import {
  apiVersionOf,
  checkStructure,
  kindFor,
  kindOf,
  kinds,
  ownGroup,
  qualifiedResource,
} from '@outrigger/core/api';
import { test } from 'tap';

test('kinds are found by URL and by what an object says of itself', (t) => {
  t.equal(kindFor('', 'v1', 'services')?.kind, 'Service');
  t.equal(kindFor('discovery.k8s.io', 'v1', 'endpointslices')?.kind, 'EndpointSlice');
  t.equal(kindFor('', 'v1', 'endpointslices'), undefined);
  t.equal(kindFor('discovery.k8s.io', 'v1beta1', 'endpointslices'), undefined);
  t.equal(kindOf('outrigger.dev/v1alpha1', 'TrafficPolicy')?.resource, 'trafficpolicies');
  t.equal(kindOf('v1', 'Secret'), undefined);
  for (const kind of kinds) {
    t.equal(kindFor(kind.group, kind.version, kind.resource), kind);
    t.equal(kindOf(apiVersionOf(kind), kind.kind), kind);
  }
  t.end();
});

test('the kinds of the foundation are all there', (t) => {
  t.same(
    kinds
      .map((kind) => `${apiVersionOf(kind)} ${qualifiedResource(kind)} ${kind.shortNames.join()}`)
      .toSorted(),
    [
      'coordination.k8s.io/v1 leases.coordination.k8s.io ',
      'discovery.k8s.io/v1 endpointslices.discovery.k8s.io ',
      'outrigger.dev/v1alpha1 metricsadapters.outrigger.dev ma',
      'outrigger.dev/v1alpha1 redisambassadors.outrigger.dev ra',
      'outrigger.dev/v1alpha1 trafficpolicies.outrigger.dev tp',
      'v1 configmaps cm',
      'v1 endpoints ep',
      'v1 events ev',
      'v1 namespaces ns',
      'v1 nodes no',
      'v1 pods po',
      'v1 services svc',
    ],
  );
  t.end();
});

test('what tools call a kind is never ambiguous', (t) => {
  const names = kinds.flatMap(({ resource, singular, shortNames }) => [
    ...new Set([resource, singular, ...shortNames]),
  ]);
  t.same(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  );
  t.end();
});

test('status is a field exactly where it is a subresource', (t) => {
  for (const kind of kinds) t.equal('status' in kind.schema.fields, kind.hasStatus, kind.kind);
  t.same(
    kinds
      .filter((kind) => !kind.namespaced)
      .map(({ kind }) => kind)
      .toSorted(),
    ['Namespace', 'Node'],
  );
  t.end();
});

test('every field is described, so that kubectl explain says something', (t) => {
  for (const kind of kinds) {
    for (const [path, schema] of fieldsOf(kind.schema, kind.kind)) {
      t.ok((schema.description ?? '').length > 0, path);
    }
  }
  t.end();
});

test('every default is a value its schema takes', (t) => {
  for (const kind of kinds) {
    for (const [path, schema] of fieldsOf(kind.schema, kind.kind)) {
      if (schema.default !== undefined) t.same(checkStructure(schema, schema.default).errors, [], path);
    }
  }
  t.end();
});

test('merge keys are fields of what they merge', (t) => {
  for (const kind of kinds) {
    for (const [path, schema] of fieldsOf(kind.schema, kind.kind)) {
      if (schema.type !== 'list' || schema.items.type !== 'object') continue;
      const names = Object.keys(schema.items.fields);
      const keys = [...schema.keys, ...(schema.patchMergeKey === undefined ? [] : [schema.patchMergeKey])];
      t.ok(
        keys.every((key) => names.includes(key)),
        path,
      );
      t.equal(schema.listType === 'map', schema.keys.length > 0, path);
    }
  }
  t.end();
});

test('own kinds hold no password: only where to find one', (t) => {
  for (const kind of kinds.filter(({ group }) => group === ownGroup)) {
    for (const [path] of fieldsOf(kind.schema, kind.kind)) t.notMatch(path, /password$|token$|key$/i, path);
  }
  t.end();
});

/** Every field below a schema with its path; list items and map values are passed through. */
function fieldsOf(schema: Schema, path: string): [string, Schema][] {
  if (schema.type === 'list') return fieldsOf(schema.items, path);
  if (schema.type === 'map') return fieldsOf(schema.values, path);
  if (schema.type !== 'object') return [];
  return Object.entries(schema.fields).flatMap(([name, field]): [string, Schema][] => [
    [`${path}.${name}`, field],
    ...fieldsOf(field, `${path}.${name}`),
  ]);
}
