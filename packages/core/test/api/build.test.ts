import type { Infer, Pod, Service, TrafficPolicy } from '@outrigger/core/api';
import {
  any,
  boolean,
  describe,
  integer,
  keyedList,
  list,
  map,
  number,
  object,
  string,
} from '@outrigger/core/api';
import { test } from 'tap';

const schema = object(
  {
    name: string('a name'),
    size: string('a size', { enum: ['small', 'large'] }),
    count: integer('a count'),
    ratio: number(),
    on: boolean(),
    tags: list(string()),
    labels: map(string()),
    parts: keyedList(object({ key: string() }, { required: ['key'] }), ['key'], 'parts', { maxItems: 3 }),
    rest: any(),
  },
  { required: ['name', 'size'], description: 'a thing' },
);
type Thing = Infer<typeof schema>;

test('a schema gives the type of its values', (t) => {
  const thing: Thing = { name: 'a', size: 'small', parts: [{ key: 'k' }], tags: ['x'], labels: { a: 'b' } };
  const upper: string = thing.name.toUpperCase();
  t.equal(upper, 'A');
  // @ts-expect-error: not one of the values
  const wrongEnum: Thing = { name: 'a', size: 'medium' };
  // @ts-expect-error: a required field is missing
  const missing: Thing = { name: 'a' };
  // @ts-expect-error: an optional field may be absent
  const unsafe: () => number = () => thing.count + 1;
  // @ts-expect-error: no such field
  const unknown: Thing = { name: 'a', size: 'small', colour: 'red' };
  t.ok(wrongEnum && missing && unknown && unsafe);
  t.end();
});

test('kinds have types that follow the published API', (t) => {
  const port = (service: Service): number | undefined => service.spec.ports?.[0]?.nodePort;
  const path = (pod: Pod): string | undefined => pod.spec.containers[0]?.readinessProbe?.httpGet?.path;
  const failures = (policy: TrafficPolicy): number => policy.spec.ejection.consecutiveFailures;
  // @ts-expect-error: a Service has no replicas
  const replicas = (service: Service): unknown => service.spec.replicas;
  t.same(
    [port, path, failures, replicas].map((read) => typeof read),
    Array(4).fill('function'),
  );
  t.end();
});

test('a schema is plain frozen data', (t) => {
  t.same(JSON.parse(JSON.stringify(schema)).fields.parts, {
    type: 'list',
    items: { type: 'object', fields: { key: { type: 'string' } }, required: ['key'], defaulted: [] },
    listType: 'map',
    keys: ['key'],
    maxItems: 3,
    description: 'parts',
  });
  t.throws(() => Object.assign(schema, { type: 'any' }), TypeError);
  t.throws(() => Object.assign(schema.fields, { more: any() }), TypeError);
  t.end();
});

test('describe puts a schema in another place without changing the first', (t) => {
  const moved = describe(schema.fields.name, 'another name', { default: 'x' });
  t.same(moved, { type: 'string', description: 'another name', default: 'x' });
  t.equal(schema.fields.name.description, 'a name');
  t.end();
});
