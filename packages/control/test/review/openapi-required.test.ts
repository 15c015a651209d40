/** `kubectl explain` marks as required what a client must write, not what is there once defaults are in. */

import { test } from 'tap';
import { startControl } from '../harness.ts';

interface Schema {
  readonly required?: readonly string[];
  readonly properties?: Record<string, Schema & { readonly default?: unknown; readonly allOf?: unknown }>;
  readonly items?: Schema;
}

const documents = [
  'api/v1',
  'apis/discovery.k8s.io/v1',
  'apis/coordination.k8s.io/v1',
  'apis/outrigger.dev/v1alpha1',
];

test('no field with a default is required', async (t) => {
  const control = await startControl(t);
  for (const document of documents) {
    const { components } = (await control.get(`/openapi/v3/${document}`)).body;
    for (const [name, schema] of Object.entries(components.schemas as Record<string, Schema>)) {
      t.same(requiredInVain(schema, name), [], name);
    }
  }
});

test('what has no default stays required', async (t) => {
  const control = await startControl(t);
  const { components } = (await control.get('/openapi/v3/api/v1')).body;
  const { spec } = components.schemas['io.k8s.api.core.v1.Service'].properties;
  t.same(spec.properties.ports.items.required, ['port']);
  t.equal(spec.required, undefined);
});

function requiredInVain(schema: Schema, path: string): string[] {
  const properties = Object.entries(schema.properties ?? {});
  const own = properties
    .filter(([name, { default: fallback, allOf }]) => {
      return schema.required?.includes(name) === true && fallback !== undefined && allOf === undefined;
    })
    .map(([name]) => `${path}.${name}`);
  const below = properties.flatMap(([name, property]) => requiredInVain(property, `${path}.${name}`));
  return [...own, ...below, ...(schema.items === undefined ? [] : requiredInVain(schema.items, `${path}[]`))];
}
