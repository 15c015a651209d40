/** JSON Merge Patch against the cases of RFC 7386 and the property that a difference, applied, gives the other side. */

import { test } from 'tap';
import { applyMergePatch, maxDepth } from '../../src/patch/index.ts';
import { randomSource, randomValue } from './values.ts';

/** RFC 7386, appendix A: original, patch, result. */
const cases: readonly [unknown, unknown, unknown][] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  // Beyond the appendix
  [{ list: [1, 2] }, { list: [null] }, { list: [null] }],
  [{ toString: 'x' }, { toString: null }, {}],
  [{}, JSON.parse('{"__proto__":{"polluted":true}}'), JSON.parse('{"__proto__":{"polluted":true}}')],
];

for (const [original, patch, want] of cases) {
  test(`${JSON.stringify(original)} + ${JSON.stringify(patch)}`, async (t) => {
    const before = structuredClone({ original, patch });
    t.strictSame(applyMergePatch(original, patch), want);
    t.strictSame({ original, patch }, before, 'the arguments are untouched');
    t.equal(({} as Record<string, unknown>)['polluted'], undefined);
  });
}

test('the result shares nothing with the patch', async (t) => {
  const patch = { a: [{ b: 1 }] };
  const result = applyMergePatch({}, patch) as typeof patch;
  t.not(result.a, patch.a);
  t.not(result.a[0], patch.a[0]);
});

test('__proto__ is a name of its own, not the prototype', async (t) => {
  const patch = JSON.parse('{"a":{"__proto__":{"polluted":true}}}') as unknown;
  const result = applyMergePatch({ a: { b: 1 } }, patch) as { a: object };
  t.ok(Object.hasOwn(result.a, '__proto__'));
  t.equal(Object.getPrototypeOf(result.a), Object.prototype);
});

test('depth is limited', async (t) => {
  let deep: unknown = {};
  for (let i = 0; i <= maxDepth; i += 1) deep = { a: deep };
  t.throws(() => applyMergePatch({}, deep), { code: 'PATCH_MALFORMED' });
});

test('a difference, applied, gives the other side; applying it twice changes nothing more', async (t) => {
  const { random, seed } = randomSource();
  for (let round = 0; round < 500; round += 1) {
    const from = { v: randomValue(random) };
    const to = { v: randomValue(random) };
    const patch = difference(from, to);
    const once = applyMergePatch(from, patch);
    t.strictSame(once, to, `seed ${seed} round ${round}`);
    t.strictSame(applyMergePatch(once, patch), to, `again, seed ${seed} round ${round}`);
  }
});

function difference(from: unknown, to: unknown): unknown {
  if (!isObject(from) || !isObject(to)) return to;
  const patch: Record<string, unknown> = {};
  for (const name of Object.keys(from)) if (!Object.hasOwn(to, name)) patch[name] = null;
  for (const [name, value] of Object.entries(to)) {
    patch[name] = Object.hasOwn(from, name) ? difference(from[name], value) : value;
  }
  return patch;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
