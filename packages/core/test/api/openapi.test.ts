import type { OpenAPISchema } from '@outrigger/core/api';
import {
  any,
  boolean,
  componentName,
  endpointSliceKind,
  integer,
  intOrString,
  keyedList,
  kindOpenAPI,
  kinds,
  leaseKind,
  list,
  listOpenAPI,
  map,
  number,
  object,
  podKind,
  serviceKind,
  string,
  toOpenAPI,
  trafficPolicyKind,
} from '@outrigger/core/api';
import { test } from 'tap';

/** `at(schema, 'spec', 'ports')`: the schema of a field. */
function at(schema: OpenAPISchema, ...path: string[]): OpenAPISchema {
  let here = schema;
  for (const name of path) {
    const inside = (here['items'] ?? here) as OpenAPISchema;
    here = (inside['properties'] as Record<string, OpenAPISchema>)[name] ?? {};
  }
  return here;
}

test('every schema of the language has its OpenAPI form', (t) => {
  const schema = object(
    {
      text: string('a text', { maxLength: 3, default: 'x' }),
      choice: string('', { enum: ['a', 'b'] }),
      time: string('', { format: 'date-time' }),
      wait: string('', { format: 'duration' }),
      count: integer('', { format: 'int32', minimum: 0, maximum: 9 }),
      ratio: number('', { minimum: 0 }),
      on: boolean(),
      port: intOrString(),
      names: list(string(), 'names', { minItems: 1, maxItems: 2 }),
      labels: map(string()),
      rest: any('more'),
    },
    { required: ['text', 'choice'], description: 'a thing' },
  );
  t.same(toOpenAPI(schema), {
    description: 'a thing',
    type: 'object',
    required: ['choice'],
    properties: {
      text: { description: 'a text', type: 'string', maxLength: 3, default: 'x' },
      choice: { type: 'string', enum: ['a', 'b'] },
      time: { type: 'string', format: 'date-time' },
      wait: { type: 'string', format: 'duration' },
      count: { type: 'integer', format: 'int32', minimum: 0, maximum: 9 },
      ratio: { type: 'number', minimum: 0 },
      on: { type: 'boolean' },
      port: { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
      names: {
        description: 'names',
        type: 'array',
        items: { type: 'string' },
        minItems: 1,
        maxItems: 2,
        'x-kubernetes-list-type': 'atomic',
      },
      labels: { type: 'object', additionalProperties: { type: 'string' } },
      rest: { description: 'more', 'x-kubernetes-preserve-unknown-fields': true },
    },
  });
  t.end();
});

test('lists say how they are merged', (t) => {
  t.match(at(kindOpenAPI(serviceKind), 'spec', 'ports'), {
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['port', 'protocol'],
    'x-kubernetes-patch-strategy': 'merge',
    'x-kubernetes-patch-merge-key': 'port',
  });
  t.match(at(kindOpenAPI(podKind), 'spec', 'containers', 'env'), {
    'x-kubernetes-list-map-keys': ['name'],
    'x-kubernetes-patch-merge-key': 'name',
  });
  t.match(at(kindOpenAPI(podKind), 'metadata', 'ownerReferences'), { 'x-kubernetes-patch-merge-key': 'uid' });
  const finalizers = at(kindOpenAPI(podKind), 'metadata', 'finalizers');
  t.match(finalizers, { 'x-kubernetes-list-type': 'set', 'x-kubernetes-patch-strategy': 'merge' });
  t.notOk('x-kubernetes-patch-merge-key' in finalizers);
  t.notOk('x-kubernetes-patch-strategy' in at(kindOpenAPI(endpointSliceKind), 'endpoints'));
  t.end();
});

test('a CRD has patterns instead of words, and no merge keys', (t) => {
  const keyed = keyedList(object({ a: string() }, { required: ['a'] }), ['a']);
  t.same(toOpenAPI(keyed, 'crd'), {
    type: 'array',
    items: { type: 'object', required: ['a'], properties: { a: { type: 'string' } } },
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['a'],
  });
  t.same(toOpenAPI(intOrString(), 'crd'), { 'x-kubernetes-int-or-string': true });
  const pattern = (format: 'duration' | 'size'): RegExp =>
    new RegExp(toOpenAPI(string('', { format }), 'crd')['pattern'] as string);
  for (const text of ['0', '250ms', '1h30m', '1.5s']) t.match(text, pattern('duration'));
  for (const text of ['', '1', '1d', '-1s', '1s ']) t.notMatch(text, pattern('duration'));
  for (const text of ['0', '64KiB', '64Ki', '10MB', '1.5GiB', '7B']) t.match(text, pattern('size'));
  for (const text of ['', 'B', '1XB', '-1']) t.notMatch(text, pattern('size'));
  t.same(toOpenAPI(string('', { format: 'byte' }), 'crd'), { type: 'string', format: 'byte' });
  t.end();
});

test('kinds and their lists carry group, version and kind', (t) => {
  t.same(kindOpenAPI(serviceKind)['x-kubernetes-group-version-kind'], [
    { group: '', kind: 'Service', version: 'v1' },
  ]);
  const slices = listOpenAPI(endpointSliceKind, '#/components/schemas/x');
  t.same(slices['x-kubernetes-group-version-kind'], [
    { group: 'discovery.k8s.io', kind: 'EndpointSliceList', version: 'v1' },
  ]);
  t.match(slices, {
    required: ['items'],
    properties: { items: { items: { $ref: '#/components/schemas/x' } } },
  });
  t.end();
});

test('components are named as in the published document', (t) => {
  t.equal(componentName(serviceKind), 'io.k8s.api.core.v1.Service');
  t.equal(componentName(endpointSliceKind), 'io.k8s.api.discovery.v1.EndpointSlice');
  t.equal(componentName(leaseKind), 'io.k8s.api.coordination.v1.Lease');
  t.equal(componentName(trafficPolicyKind), 'dev.outrigger.v1alpha1.TrafficPolicy');
  t.end();
});

test('the document is JSON', (t) => {
  for (const kind of kinds) {
    const schema = kindOpenAPI(kind);
    t.same(JSON.parse(JSON.stringify(schema)), schema, kind.kind);
  }
  t.end();
});
