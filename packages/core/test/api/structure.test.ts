import type { Schema } from '@outrigger/core/api';
import {
  any,
  boolean,
  checkStructure,
  integer,
  intOrString,
  list,
  map,
  maxProblems,
  number,
  object,
  podKind,
  serviceKind,
  string,
  typeErrors,
} from '@outrigger/core/api';
import { test } from 'tap';
import { line, pod, service } from './fixtures.ts';

function found(schema: Schema, value: unknown, path = 'spec'): string[] {
  return checkStructure(schema, value, path).errors.map(line);
}

test('wrong JSON types are reported where they are', (t) => {
  const rows: [Schema, unknown, string][] = [
    [string(), 1, 'TypeInvalid spec: Invalid value: 1: must be of type string, not number'],
    [string(), {}, 'TypeInvalid spec: Invalid value: {}: must be of type string, not object'],
    [integer(), '1', 'TypeInvalid spec: Invalid value: "1": must be of type integer, not string'],
    [integer(), 1.5, 'TypeInvalid spec: Invalid value: 1.5: must be of type integer, not number'],
    [
      integer('', { format: 'int32' }),
      2 ** 31,
      'TypeInvalid spec: Invalid value: 2147483648: must be of type int32, not number',
    ],
    [
      integer('', { format: 'int64' }),
      2 ** 60,
      'TypeInvalid spec: Invalid value: 1152921504606847000: must be of type int64, not number',
    ],
    [number(), true, 'TypeInvalid spec: Invalid value: true: must be of type number, not boolean'],
    [boolean(), 'true', 'TypeInvalid spec: Invalid value: "true": must be of type boolean, not string'],
    [
      intOrString(),
      1.5,
      'TypeInvalid spec: Invalid value: 1.5: must be of type integer or string, not number',
    ],
    [list(string()), {}, 'TypeInvalid spec: Invalid value: {}: must be of type array, not object'],
    [list(string()), [null], 'TypeInvalid spec[0]: Invalid value: null: must be of type string, not null'],
    [map(string()), [], 'TypeInvalid spec: Invalid value: []: must be of type object, not array'],
    [map(string()), { a: 1 }, 'TypeInvalid spec[a]: Invalid value: 1: must be of type string, not number'],
    [object({}), 'x', 'TypeInvalid spec: Invalid value: "x": must be of type object, not string'],
    [
      object({ a: list(object({ b: string() })) }),
      { a: [{}, { b: 1 }] },
      'TypeInvalid spec.a[1].b: Invalid value: 1: must be of type string, not number',
    ],
    [
      string('', { format: 'date-time' }),
      'now',
      'TypeInvalid spec: Invalid value: "now": must be of type RFC 3339 time, not string',
    ],
    [
      string('', { format: 'byte' }),
      'a',
      'TypeInvalid spec: Invalid value: "a": must be of type base64, not string',
    ],
  ];
  for (const [schema, value, want] of rows) t.same(found(schema, value), [want]);
  t.end();
});

test('values outside of what the schema allows are invalid, not undecodable', (t) => {
  const rows: [Schema, unknown, string][] = [
    [
      string('', { enum: ['b', 'a'] }),
      'c',
      'NotSupported spec: Unsupported value: "c": supported values: "a", "b"',
    ],
    [string('', { maxLength: 3 }), 'äbc', 'TooLong spec: Too long: may not be more than 3 bytes'],
    [string('', { syntax: 'dns1035Label' }), '1a', 'Invalid spec: Invalid value: "1a": a DNS-1035 label'],
    [
      string('', { format: 'duration' }),
      '1d',
      'Invalid spec: Invalid value: "1d": must be a duration, such as 250ms, 30s or 1h30m',
    ],
    [
      string('', { format: 'size' }),
      'big',
      'Invalid spec: Invalid value: "big": must be a size, such as 65536, 64KiB or 10MB',
    ],
    [integer('', { minimum: 1 }), 0, 'Invalid spec: Invalid value: 0: must be greater than or equal to 1'],
    [number('', { maximum: 1 }), 1.5, 'Invalid spec: Invalid value: 1.5: must be less than or equal to 1'],
    [list(string(), '', { maxItems: 1 }), ['a', 'b'], 'TooMany spec: Too many: 2: must have at most 1 items'],
    [list(string(), '', { minItems: 1 }), [], 'Required spec: Required value: must have at least 1 items'],
    [object({ a: string() }, { required: ['a'] }), {}, 'Required spec.a: Required value'],
    [object({ a: string() }, { required: ['a'] }), { a: null }, 'Required spec.a: Required value'],
    [object({ a: string() }, { required: ['a'] }), { a: '' }, 'Required spec.a: Required value'],
    [
      object({ a: integer('', { omitZero: true }) }, { required: ['a'] }),
      { a: 0 },
      'Required spec.a: Required value',
    ],
  ];
  for (const [schema, value, want] of rows) {
    const lines = found(schema, value);
    t.equal(lines.length, 1, want);
    t.equal(lines[0]?.slice(0, want.length), want);
    t.same(typeErrors(checkStructure(schema, value)), []);
  }
  t.end();
});

test('what the schema describes passes', (t) => {
  const rows: [Schema, unknown][] = [
    [string('', { format: 'byte' }), 'YQ=='],
    [string('', { format: 'date-time' }), '2026-01-02T03:04:05.000000Z'],
    [string('', { format: 'duration' }), '0'],
    [string('', { format: 'size' }), '64KiB'],
    [string('', { syntax: 'portName' }), 'http'],
    [integer('', { format: 'int32' }), -(2 ** 31)],
    [number(), 1.5],
    [intOrString(), 'http'],
    [intOrString(), 80],
    [any(), { deeply: [null, { nested: 1 }] }],
    [object({ a: string('', { default: 'x' }) }, { required: ['a'] }), {}],
    [object({ a: string('', { keepEmpty: true }) }, { required: ['a'] }), { a: '' }],
    [object({ a: string() }), { a: null }],
    [map(string()), { a: null, b: '' }],
  ];
  for (const [schema, value] of rows) t.same(checkStructure(schema, value), { errors: [], unknown: [] });
  t.end();
});

test('unknown fields are listed apart, with the paths kubectl shows', (t) => {
  const value = { ...service({ ports: [{ port: 80, prot: 'TCP' }], bogus: 1 }), extra: true };
  const { errors, unknown } = checkStructure(serviceKind.schema, value);
  t.same(errors, []);
  t.same(unknown, ['spec.ports[0].prot', 'spec.bogus', 'extra']);
  t.end();
});

test('names that every JavaScript object has are unknown fields like others', (t) => {
  const value = JSON.parse(
    '{"metadata":{"name":"a"},"spec":{"constructor":1,"__proto__":2,"toString":3}}',
  ) as unknown;
  t.same(checkStructure(serviceKind.schema, value).unknown.toSorted(), [
    'spec.__proto__',
    'spec.constructor',
    'spec.toString',
  ]);
  t.end();
});

test('the outside of a pod is checked, the inside of fields Outrigger does not read is not', (t) => {
  const value = pod({
    tolerations: [{ key: 'a', operator: 'Exists' }],
    affinity: { nodeAffinity: { anything: [1] } },
    volumes: [
      { name: 'v', emptyDir: {} },
      { name: 'c', configMap: { name: 'x' } },
    ],
    securityContext: { runAsUser: 1 },
  });
  t.same(checkStructure(podKind.schema, value), { errors: [], unknown: [] });
  t.end();
});

test('a broken object does not make an endless answer', (t) => {
  const wrong = Array.from({ length: 5_000 }, () => 1);
  t.equal(checkStructure(list(string()), wrong).errors.length, maxProblems);
  const strange = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`f${index}`, 1]));
  t.equal(checkStructure(object({}), strange).unknown.length, maxProblems);
  t.end();
});

test('a wrong type is never lost among other problems', (t) => {
  const schema = object({ list: list(string('', { enum: ['a'] })), last: integer() });
  const value = {
    ...Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`f${index}`, 1])),
    list: Array(500).fill('b'),
    last: 'x',
  };
  const structure = checkStructure(schema, value);
  t.same(
    typeErrors(structure).map(({ field }) => field),
    ['last'],
  );
  t.equal(structure.errors.length, maxProblems + 1);
  t.end();
});

test('long values are cut in messages', (t) => {
  const [text = ''] = found(integer(), 'x'.repeat(10_000));
  t.ok(text.length < 400);
  t.match(text, 'xxx…: must be of type integer');
  t.end();
});
