/** JSON Patch against the cases of RFC 6902, its errors, its budgets, and properties that hold for any document. */

import { test } from 'tap';
import { applyJsonPatch, maxDepth, maxOperations, patchStatus } from '../../src/patch/index.ts';
import type { PatchError } from '../../src/patch/index.ts';
import { randomSource, randomValue } from './values.ts';

interface Case {
  readonly name: string;
  readonly doc: unknown;
  readonly patch: unknown;
  readonly want?: unknown;
  /** The expected error instead of a result. */
  readonly fails?: 'PATCH_MALFORMED' | 'PATCH_NOT_APPLICABLE' | 'PATCH_TOO_LARGE';
}

const cases: readonly Case[] = [
  // RFC 6902, appendix A
  {
    name: 'A.1 add a member',
    doc: { foo: 'bar' },
    patch: [{ op: 'add', path: '/baz', value: 'qux' }],
    want: { foo: 'bar', baz: 'qux' },
  },
  {
    name: 'A.2 add an item',
    doc: { foo: ['bar', 'baz'] },
    patch: [{ op: 'add', path: '/foo/1', value: 'qux' }],
    want: { foo: ['bar', 'qux', 'baz'] },
  },
  {
    name: 'A.3 remove a member',
    doc: { baz: 'qux', foo: 'bar' },
    patch: [{ op: 'remove', path: '/baz' }],
    want: { foo: 'bar' },
  },
  {
    name: 'A.4 remove an item',
    doc: { foo: ['bar', 'qux', 'baz'] },
    patch: [{ op: 'remove', path: '/foo/1' }],
    want: { foo: ['bar', 'baz'] },
  },
  {
    name: 'A.5 replace',
    doc: { baz: 'qux', foo: 'bar' },
    patch: [{ op: 'replace', path: '/baz', value: 'boo' }],
    want: { baz: 'boo', foo: 'bar' },
  },
  {
    name: 'A.6 move a member',
    doc: { foo: { bar: 'baz', waldo: 'fred' }, qux: { corge: 'grault' } },
    patch: [{ op: 'move', from: '/foo/waldo', path: '/qux/thud' }],
    want: { foo: { bar: 'baz' }, qux: { corge: 'grault', thud: 'fred' } },
  },
  {
    name: 'A.7 move an item',
    doc: { foo: ['all', 'grass', 'cows', 'eat'] },
    patch: [{ op: 'move', from: '/foo/1', path: '/foo/3' }],
    want: { foo: ['all', 'cows', 'eat', 'grass'] },
  },
  {
    name: 'A.8 test passes',
    doc: { baz: 'qux', foo: ['a', 2, 'c'] },
    patch: [
      { op: 'test', path: '/baz', value: 'qux' },
      { op: 'test', path: '/foo/1', value: 2 },
    ],
    want: { baz: 'qux', foo: ['a', 2, 'c'] },
  },
  {
    name: 'A.9 test fails',
    doc: { baz: 'qux' },
    patch: [{ op: 'test', path: '/baz', value: 'bar' }],
    fails: 'PATCH_NOT_APPLICABLE',
  },
  {
    name: 'A.10 add a nested object',
    doc: { foo: 'bar' },
    patch: [{ op: 'add', path: '/child', value: { grandchild: {} } }],
    want: { foo: 'bar', child: { grandchild: {} } },
  },
  {
    name: 'A.11 unknown fields are ignored',
    doc: { foo: 'bar' },
    patch: [{ op: 'add', path: '/baz', value: 'qux', xyz: 123 }],
    want: { foo: 'bar', baz: 'qux' },
  },
  {
    name: 'A.12 add below what is not there',
    doc: { foo: 'bar' },
    patch: [{ op: 'add', path: '/baz/bat', value: 'qux' }],
    fails: 'PATCH_NOT_APPLICABLE',
  },
  {
    name: 'A.14 escapes in order',
    doc: { '/': 9, '~1': 10 },
    patch: [{ op: 'test', path: '/~01', value: 10 }],
    want: { '/': 9, '~1': 10 },
  },
  {
    name: 'A.15 number is not string',
    doc: { '/': 9, '~1': 10 },
    patch: [{ op: 'test', path: '/~01', value: '10' }],
    fails: 'PATCH_NOT_APPLICABLE',
  },
  {
    name: 'A.16 append',
    doc: { foo: ['bar'] },
    patch: [{ op: 'add', path: '/foo/-', value: ['abc', 'def'] }],
    want: { foo: ['bar', ['abc', 'def']] },
  },

  { name: 'no operations', doc: { a: 1 }, patch: [], want: { a: 1 } },
  {
    name: 'add replaces an existing member',
    doc: { a: 1 },
    patch: [{ op: 'add', path: '/a', value: 2 }],
    want: { a: 2 },
  },
  {
    name: 'add null is a value',
    doc: {},
    patch: [{ op: 'add', path: '/a', value: null }],
    want: { a: null },
  },
  { name: 'add the root', doc: { a: 1 }, patch: [{ op: 'add', path: '', value: [1] }], want: [1] },
  {
    name: 'replace the root',
    doc: { a: 1 },
    patch: [{ op: 'replace', path: '', value: { b: 2 } }],
    want: { b: 2 },
  },
  { name: 'remove the root', doc: { a: 1 }, patch: [{ op: 'remove', path: '' }], want: null },
  {
    name: 'the empty name',
    doc: { '': 1 },
    patch: [{ op: 'replace', path: '/', value: 2 }],
    want: { '': 2 },
  },
  {
    name: 'add at the end by index',
    doc: [1, 2],
    patch: [{ op: 'add', path: '/2', value: 3 }],
    want: [1, 2, 3],
  },
  { name: 'add into an empty array', doc: [], patch: [{ op: 'add', path: '/0', value: 1 }], want: [1] },
  {
    name: 'add past the end',
    doc: [1, 2],
    patch: [{ op: 'add', path: '/3', value: 3 }],
    fails: 'PATCH_NOT_APPLICABLE',
  },
  {
    name: 'leading zero',
    doc: [1, 2],
    patch: [{ op: 'replace', path: '/01', value: 3 }],
    fails: 'PATCH_NOT_APPLICABLE',
  },
  {
    name: 'negative index',
    doc: [1, 2],
    patch: [{ op: 'remove', path: '/-1' }],
    fails: 'PATCH_NOT_APPLICABLE',
  },
  {
    name: 'remove behind the end',
    doc: [1],
    patch: [{ op: 'remove', path: '/1' }],
    fails: 'PATCH_NOT_APPLICABLE',
  },
  {
    name: 'remove from an empty array',
    doc: [],
    patch: [{ op: 'remove', path: '/0' }],
    fails: 'PATCH_NOT_APPLICABLE',
  },
  { name: 'remove at -', doc: [1], patch: [{ op: 'remove', path: '/-' }], fails: 'PATCH_NOT_APPLICABLE' },
  {
    name: 'replace what is not there',
    doc: {},
    patch: [{ op: 'replace', path: '/a', value: 1 }],
    fails: 'PATCH_NOT_APPLICABLE',
  },
  {
    name: 'remove what is not there',
    doc: {},
    patch: [{ op: 'remove', path: '/a' }],
    fails: 'PATCH_NOT_APPLICABLE',
  },
  {
    name: 'below a scalar',
    doc: { a: 1 },
    patch: [{ op: 'add', path: '/a/b', value: 1 }],
    fails: 'PATCH_NOT_APPLICABLE',
  },
  {
    name: 'test of what is not there',
    doc: {},
    patch: [{ op: 'test', path: '/a', value: null }],
    fails: 'PATCH_NOT_APPLICABLE',
  },
  {
    name: 'test ignores the order of fields',
    doc: { a: { b: 1, c: [2] } },
    patch: [{ op: 'test', path: '/a', value: { c: [2], b: 1 } }],
    want: { a: { b: 1, c: [2] } },
  },
  {
    name: 'test minds the order of items',
    doc: { a: [1, 2] },
    patch: [{ op: 'test', path: '/a', value: [2, 1] }],
    fails: 'PATCH_NOT_APPLICABLE',
  },
  {
    name: 'test of a prefix',
    doc: { a: [1, 2] },
    patch: [{ op: 'test', path: '/a', value: [1] }],
    fails: 'PATCH_NOT_APPLICABLE',
  },
  {
    name: 'copy is not an alias',
    doc: { a: { n: 1 } },
    patch: [
      { op: 'copy', from: '/a', path: '/b' },
      { op: 'replace', path: '/b/n', value: 2 },
    ],
    want: { a: { n: 1 }, b: { n: 2 } },
  },
  {
    name: 'one value added twice is no alias',
    doc: { a: 0 },
    patch: [
      { op: 'copy', from: '', path: '/b' },
      { op: 'replace', path: '/a', value: 1 },
    ],
    want: { a: 1, b: { a: 0 } },
  },
  {
    name: 'copy from nowhere',
    doc: {},
    patch: [{ op: 'copy', from: '/a', path: '/b' }],
    fails: 'PATCH_NOT_APPLICABLE',
  },
  {
    name: 'move onto itself',
    doc: { a: 1 },
    patch: [{ op: 'move', from: '/a', path: '/a' }],
    want: { a: 1 },
  },
  {
    name: 'move into itself',
    doc: { a: { b: 1 } },
    patch: [{ op: 'move', from: '/a', path: '/a/b' }],
    fails: 'PATCH_NOT_APPLICABLE',
  },
  {
    name: 'move to a name that begins alike',
    doc: { a: 1 },
    patch: [{ op: 'move', from: '/a', path: '/ab' }],
    want: { ab: 1 },
  },
  {
    name: '__proto__ is a name',
    doc: {},
    patch: [{ op: 'add', path: '/__proto__', value: { x: 1 } }],
    want: JSON.parse('{"__proto__":{"x":1}}') as unknown,
  },
  {
    name: 'inherited names are not there',
    doc: {},
    patch: [{ op: 'add', path: '/constructor/x', value: 1 }],
    fails: 'PATCH_NOT_APPLICABLE',
  },

  { name: 'not an array', doc: {}, patch: { op: 'remove', path: '/a' }, fails: 'PATCH_MALFORMED' },
  { name: 'not an object', doc: {}, patch: ['remove'], fails: 'PATCH_MALFORMED' },
  { name: 'unknown op', doc: {}, patch: [{ op: 'spam', path: '/a' }], fails: 'PATCH_MALFORMED' },
  { name: 'no op', doc: {}, patch: [{ path: '/a' }], fails: 'PATCH_MALFORMED' },
  { name: 'no path', doc: {}, patch: [{ op: 'remove' }], fails: 'PATCH_MALFORMED' },
  { name: 'no value', doc: {}, patch: [{ op: 'add', path: '/a' }], fails: 'PATCH_MALFORMED' },
  { name: 'no from', doc: {}, patch: [{ op: 'move', path: '/a' }], fails: 'PATCH_MALFORMED' },
  {
    name: 'path without slash',
    doc: { a: 1 },
    patch: [{ op: 'remove', path: 'a' }],
    fails: 'PATCH_MALFORMED',
  },
  { name: 'bad escape', doc: { a: 1 }, patch: [{ op: 'remove', path: '/~2' }], fails: 'PATCH_MALFORMED' },
  {
    name: 'a bad operation behind a good one changes nothing',
    doc: { a: 1 },
    patch: [
      { op: 'remove', path: '/a' },
      { op: 'spam', path: '' },
    ],
    fails: 'PATCH_MALFORMED',
  },
];

for (const { name, doc, patch, want, fails } of cases) {
  test(name, async (t) => {
    const before = structuredClone({ doc, patch });
    if (fails === undefined) t.strictSame(applyJsonPatch(doc, patch), want);
    else t.throws(() => applyJsonPatch(doc, patch), { code: fails });
    t.strictSame({ doc, patch }, before, 'the arguments are untouched');
  });
}

test('errors become the Status that Kubernetes answers with', async (t) => {
  const status = (patch: unknown): unknown => {
    try {
      return applyJsonPatch({ a: 1 }, patch);
    } catch (error) {
      return patchStatus(error as PatchError).toStatus();
    }
  };
  t.match(status([{ op: 'test', path: '/a', value: 2 }]), {
    code: 422,
    reason: 'Invalid',
    message: 'the server rejected our request due to an error in our request',
    details: { causes: [{ message: 'testing value /a failed' }] },
  });
  t.match(status([{ op: 'remove', path: '/b' }]), {
    code: 422,
    details: { causes: [{ message: 'doc is missing path: "/b": missing value' }] },
  });
  t.match(status({}), { code: 400, reason: 'BadRequest' });
  t.match(status(Array.from({ length: maxOperations + 1 }, () => ({ op: 'test', path: '/a', value: 1 }))), {
    code: 413,
    reason: 'RequestEntityTooLarge',
    message: /The allowed maximum operations in a JSON patch is 10000, got 10001/,
  });
});

test('as many operations as allowed', async (t) => {
  const patch = Array.from({ length: maxOperations }, (_, i) => ({ op: 'add', path: '/list/-', value: i }));
  t.equal((applyJsonPatch({ list: [] }, patch) as { list: number[] }).list.length, maxOperations);
});

test('a patch cannot grow a document without bound', async (t) => {
  const doubling = Array.from({ length: 100 }, (_, i) => ({ op: 'copy', from: '', path: `/copy${i}` }));
  t.throws(() => applyJsonPatch({ text: 'x'.repeat(100) }, doubling), { code: 'PATCH_TOO_LARGE' });
});

test('a patch cannot spend seconds on moving array items', async (t) => {
  const long = Array<number>(1_000_000).fill(0);
  const inserts = Array.from({ length: 1_000 }, () => ({ op: 'add', path: '/0', value: 1 }));
  t.throws(() => applyJsonPatch(long, inserts), { code: 'PATCH_TOO_LARGE' });
});

test('depth is limited in the patch and in what it makes', async (t) => {
  let deep: unknown = 1;
  for (let i = 0; i <= maxDepth; i += 1) deep = [deep];
  t.throws(() => applyJsonPatch({}, [{ op: 'add', path: '/a', value: deep }]), { code: 'PATCH_MALFORMED' });
  const nest = Array.from({ length: 5_000 }, () => [
    { op: 'move', from: '/a', path: '/b' },
    { op: 'add', path: '/a', value: {} },
    { op: 'move', from: '/b', path: '/a/a' },
  ]).flat();
  t.throws(() => applyJsonPatch({ a: {} }, nest.slice(0, 9_999)), { code: 'PATCH_MALFORMED' });
});

test('properties of any document', async (t) => {
  const { random, seed } = randomSource();
  for (let round = 0; round < 300; round += 1) {
    const doc = { v: randomValue(random) };
    const other = randomValue(random);
    const label = `seed ${seed} round ${round}`;
    t.strictSame(
      applyJsonPatch(doc, [
        { op: 'add', path: '/new', value: other },
        { op: 'test', path: '/new', value: other },
        { op: 'move', from: '/new', path: '/moved' },
        { op: 'copy', from: '/moved', path: '/again' },
        { op: 'remove', path: '/moved' },
        { op: 'test', path: '/again', value: other },
        { op: 'remove', path: '/again' },
      ]),
      doc,
      `added, moved, copied and removed leaves nothing (${label})`,
    );
    t.strictSame(applyJsonPatch(doc, [{ op: 'replace', path: '', value: other }]), other, label);
  }
});

test('__proto__ is a name of its own, not the prototype', async (t) => {
  for (const op of [
    { op: 'add', path: '/a/__proto__', value: { polluted: true } },
    { op: 'copy', from: '/b', path: '/a/__proto__' },
  ]) {
    const result = applyJsonPatch({ a: {}, b: { polluted: true } }, [op]) as { a: object };
    t.ok(Object.hasOwn(result.a, '__proto__'));
    t.equal(Object.getPrototypeOf(result.a), Object.prototype);
  }
});
