/** Strategic merge patch: what kubectl relies on, directive by directive, and the round trip of kubectl's own diff. */

import { test } from 'tap';
import {
  object,
  keyedList,
  list,
  map,
  any,
  string,
  integer,
  podKind,
  serviceKind,
} from '@outrigger/core/api';
import type { ObjectSchema } from '@outrigger/core/api';
import { applyMergePatch, applyStrategicMergePatch } from '../../src/patch/index.ts';
import { below, pick, randomSource, randomValue } from './values.ts';
import type { Random } from '@outrigger/core/clock';

/** One field of every merging behaviour. */
const schema: ObjectSchema = object({
  name: string(),
  labels: map(string()),
  inner: object({
    a: string(),
    b: string(),
    items: keyedList(object({ name: string(), v: integer() }), ['name']),
  }),
  items: keyedList(
    object({ name: string(), v: integer(), w: integer(), sub: keyedList(object({ id: string() }), ['id']) }),
    ['name'],
  ),
  ports: keyedList(
    object({ port: integer(), protocol: string(), name: string() }),
    ['port', 'protocol'],
    '',
    {
      patchMergeKey: 'port',
    },
  ),
  tags: list(string(), '', { listType: 'set' }),
  plain: list(string()),
  atomicObjects: list(object({ name: string() })),
  loose: any(),
  byName: map(object({ items: keyedList(object({ name: string(), v: integer() }), ['name']) })),
});

interface Case {
  readonly name: string;
  readonly doc: unknown;
  readonly patch: unknown;
  readonly want?: unknown;
  readonly fails?: RegExp;
}

const abc = [{ name: 'a' }, { name: 'b' }, { name: 'c' }];

const cases: readonly Case[] = [
  // Plain fields
  {
    name: 'sets and removes',
    doc: { name: 'x', labels: { a: '1', b: '2' } },
    patch: { name: 'y', labels: { a: null, c: '3' } },
    want: { name: 'y', labels: { b: '2', c: '3' } },
  },
  {
    name: 'null for what is not there',
    doc: {},
    patch: { name: null, inner: { a: null } },
    want: { inner: {} },
  },
  { name: 'type change replaces', doc: { loose: { a: 1 } }, patch: { loose: [1] }, want: { loose: [1] } },
  {
    name: 'unknown fields merge as objects',
    doc: { other: { a: 1, b: 2 } },
    patch: { other: { a: null, c: 3 } },
    want: { other: { b: 2, c: 3 } },
  },
  {
    name: 'inside any, objects merge and lists are replaced',
    doc: { loose: { a: 1, l: [1] } },
    patch: { loose: { l: [2], b: 2 } },
    want: { loose: { a: 1, l: [2], b: 2 } },
  },
  {
    name: 'atomic lists are replaced',
    doc: { plain: ['a', 'b'] },
    patch: { plain: ['c'] },
    want: { plain: ['c'] },
  },
  {
    name: 'atomic lists of objects are replaced',
    doc: { atomicObjects: abc },
    patch: { atomicObjects: [{ name: 'd' }] },
    want: { atomicObjects: [{ name: 'd' }] },
  },
  {
    name: 'schemas reach through maps',
    doc: { byName: { x: { items: [{ name: 'a', v: 1 }] } } },
    patch: { byName: { x: { items: [{ name: 'b', v: 2 }] } } },
    want: {
      byName: {
        x: {
          items: [
            { name: 'b', v: 2 },
            { name: 'a', v: 1 },
          ],
        },
      },
    },
  },

  // Lists by key
  {
    name: 'an item is merged by key',
    doc: {
      items: [
        { name: 'a', v: 1, w: 1 },
        { name: 'b', v: 2 },
      ],
    },
    patch: { items: [{ name: 'a', v: 9 }] },
    want: {
      items: [
        { name: 'a', v: 9, w: 1 },
        { name: 'b', v: 2 },
      ],
    },
  },
  {
    name: 'a field of an item is removed',
    doc: { items: [{ name: 'a', v: 1, w: 1 }] },
    patch: { items: [{ name: 'a', v: null }] },
    want: { items: [{ name: 'a', w: 1 }] },
  },
  {
    name: 'a new item without an order goes first',
    doc: { items: abc },
    patch: { items: [{ name: 'd' }] },
    want: { items: [{ name: 'd' }, ...abc] },
  },
  {
    name: 'nulls of a new item are dropped',
    doc: { items: [] },
    patch: { items: [{ name: 'a', v: null, w: 1 }] },
    want: { items: [{ name: 'a', w: 1 }] },
  },
  {
    name: 'a list that was not there',
    doc: {},
    patch: {
      items: [
        { name: 'a', v: null, $patch: 'merge' },
        { name: 'x', $patch: 'delete' },
      ],
    },
    want: { items: [{ name: 'a' }] },
  },
  {
    name: 'lists in lists',
    doc: { items: [{ name: 'a', sub: [{ id: '1' }, { id: '2' }] }] },
    patch: { items: [{ name: 'a', sub: [{ id: '1', $patch: 'delete' }] }] },
    want: { items: [{ name: 'a', sub: [{ id: '2' }] }] },
  },
  {
    name: 'an empty patch list changes nothing',
    doc: { items: abc },
    patch: { items: [] },
    want: { items: abc },
  },
  {
    name: 'an item without its key',
    doc: { items: abc },
    patch: { items: [{ v: 1 }] },
    fails: /an item of items does not contain declared merge key: name/,
  },
  {
    name: 'an item that is no object',
    doc: { items: abc },
    patch: { items: ['a'] },
    fails: /items is a list of objects, got "a"/,
  },
  {
    name: 'one port number, two protocols: all keys decide',
    doc: {
      ports: [
        { port: 53, protocol: 'TCP' },
        { port: 53, protocol: 'UDP' },
      ],
    },
    patch: { ports: [{ port: 53, protocol: 'UDP', name: 'dns' }] },
    want: {
      ports: [
        { port: 53, protocol: 'TCP' },
        { port: 53, protocol: 'UDP', name: 'dns' },
      ],
    },
  },
  {
    name: 'one port, its protocol changes',
    doc: { ports: [{ port: 53, protocol: 'TCP' }] },
    patch: { ports: [{ port: 53, protocol: 'UDP' }] },
    want: { ports: [{ port: 53, protocol: 'UDP' }] },
  },

  // $patch
  {
    name: '$patch: delete of an item',
    doc: { items: abc },
    patch: { items: [{ name: 'b', $patch: 'delete' }] },
    want: { items: [{ name: 'a' }, { name: 'c' }] },
  },
  {
    name: '$patch: delete of what is not there',
    doc: { items: abc },
    patch: { items: [{ name: 'z', $patch: 'delete' }] },
    want: { items: abc },
  },
  {
    name: '$patch: delete without the key',
    doc: { items: abc },
    patch: { items: [{ $patch: 'delete' }] },
    fails: /merge key: name/,
  },
  {
    name: '$patch: delete by one of several keys takes all',
    doc: {
      ports: [
        { port: 53, protocol: 'TCP' },
        { port: 53, protocol: 'UDP' },
      ],
    },
    patch: { ports: [{ port: 53, $patch: 'delete' }] },
    want: { ports: [] },
  },
  {
    name: '$patch: delete by all keys takes one',
    doc: {
      ports: [
        { port: 53, protocol: 'TCP' },
        { port: 53, protocol: 'UDP' },
      ],
    },
    patch: { ports: [{ port: 53, protocol: 'TCP', $patch: 'delete' }] },
    want: { ports: [{ port: 53, protocol: 'UDP' }] },
  },
  {
    name: '$patch: replace of a list, beside the items',
    doc: { items: abc },
    patch: { items: [{ $patch: 'replace' }, { name: 'd' }] },
    want: { items: [{ name: 'd' }] },
  },
  {
    name: '$patch: replace of a list with nothing',
    doc: { items: abc },
    patch: { items: [{ $patch: 'replace' }] },
    want: { items: [] },
  },
  {
    name: '$patch: replace of an object',
    doc: { inner: { a: '1', b: '2' } },
    patch: { inner: { $patch: 'replace', a: '9' } },
    want: { inner: { a: '9' } },
  },
  {
    name: '$patch: delete of an object',
    doc: { inner: { a: '1', b: '2' } },
    patch: { inner: { $patch: 'delete' } },
    want: { inner: {} },
  },
  {
    name: '$patch: merge is the default',
    doc: { inner: { a: '1', b: '2' } },
    patch: { inner: { $patch: 'merge', a: '9' } },
    want: { inner: { a: '9', b: '2' } },
  },
  {
    name: '$patch: merge in an item',
    doc: { items: [{ name: 'a', v: 1, w: 1 }] },
    patch: { items: [{ name: 'a', $patch: 'merge', v: 2 }] },
    want: { items: [{ name: 'a', v: 2, w: 1 }] },
  },
  {
    name: '$patch: nonsense',
    doc: { inner: {} },
    patch: { inner: { $patch: 'explode' } },
    fails: /unknown patch type "explode"/,
  },
  {
    name: 'directives never reach the object',
    doc: {},
    patch: {
      inner: {
        $retainKeys: ['a'],
        a: '1',
        items: [{ name: 'x' }],
        '$setElementOrder/items': [{ name: 'x' }],
      },
    },
    fails: /\$retainKeys must list every field/,
  },
  {
    name: 'directives of something new are dropped',
    doc: {},
    patch: {
      inner: {
        a: '1',
        items: [{ name: 'x' }],
        '$setElementOrder/items': [{ name: 'x' }],
        '$deleteFromPrimitiveList/z': ['q'],
      },
    },
    want: { inner: { a: '1', items: [{ name: 'x' }] } },
  },

  // Sets
  {
    name: 'sets are united',
    doc: { tags: ['a', 'b'] },
    patch: { tags: ['b', 'c'] },
    want: { tags: ['a', 'b', 'c'] },
  },
  {
    name: 'sets hold plain values',
    doc: { tags: ['a'] },
    patch: { tags: [{ name: 'x' }] },
    fails: /list of plain values/,
  },
  {
    name: '$deleteFromPrimitiveList',
    doc: { tags: ['a', 'b', 'c'] },
    patch: { '$deleteFromPrimitiveList/tags': ['b', 'z'] },
    want: { tags: ['a', 'c'] },
  },
  {
    name: '$deleteFromPrimitiveList with additions and an order',
    doc: { tags: ['a', 'b', 'c'] },
    patch: { tags: ['d'], '$deleteFromPrimitiveList/tags': ['b'], '$setElementOrder/tags': ['c', 'd', 'a'] },
    want: { tags: ['c', 'd', 'a'] },
  },
  {
    name: '$deleteFromPrimitiveList of a list that is not there',
    doc: {},
    patch: { '$deleteFromPrimitiveList/tags': ['b'] },
    want: {},
  },
  {
    name: '$deleteFromPrimitiveList that is no list',
    doc: {},
    patch: { '$deleteFromPrimitiveList/tags': 'b' },
    fails: /must be a list/,
  },

  // $setElementOrder
  {
    name: 'reorders items',
    doc: { items: abc },
    patch: { '$setElementOrder/items': [{ name: 'c' }, { name: 'a' }, { name: 'b' }] },
    want: { items: [{ name: 'c' }, { name: 'a' }, { name: 'b' }] },
  },
  {
    name: 'items only the server has keep their place',
    doc: { items: [{ name: 'a' }, { name: 's1' }, { name: 'b' }, { name: 's2' }] },
    patch: { '$setElementOrder/items': [{ name: 'a' }, { name: 'b' }] },
    want: { items: [{ name: 'a' }, { name: 's1' }, { name: 'b' }, { name: 's2' }] },
  },
  {
    name: 'places a new item',
    doc: { items: abc },
    patch: {
      '$setElementOrder/items': [{ name: 'a' }, { name: 'b' }, { name: 'n' }, { name: 'c' }],
      items: [{ name: 'n', v: 1 }],
    },
    want: { items: [{ name: 'a' }, { name: 'b' }, { name: 'n', v: 1 }, { name: 'c' }] },
  },
  {
    name: 'a deletion need not be in the order',
    doc: { items: abc },
    patch: {
      '$setElementOrder/items': [{ name: 'a' }, { name: 'c' }],
      items: [{ name: 'b', $patch: 'delete' }],
    },
    want: { items: [{ name: 'a' }, { name: 'c' }] },
  },
  {
    name: 'an order of something that is not there',
    doc: {},
    patch: { '$setElementOrder/items': [{ name: 'a' }] },
    want: {},
  },
  {
    name: 'an order that leaves an item of the patch out',
    doc: { items: abc },
    patch: { '$setElementOrder/items': [{ name: 'a' }], items: [{ name: 'b', v: 1 }] },
    fails: /doesn't match \$setElementOrder\/items/,
  },
  {
    name: 'an order that contradicts the patch',
    doc: { items: abc },
    patch: {
      '$setElementOrder/items': [{ name: 'a' }, { name: 'b' }],
      items: [{ name: 'b' }, { name: 'a' }],
    },
    fails: /doesn't match/,
  },
  {
    name: 'an order without the merge key',
    doc: { items: abc },
    patch: { '$setElementOrder/items': [{}] },
    fails: /merge key: name/,
  },
  {
    name: 'an order for a list that is replaced whole',
    doc: { plain: ['a'] },
    patch: { '$setElementOrder/plain': ['a'] },
    fails: /replaced whole/,
  },

  // $retainKeys
  {
    name: '$retainKeys removes the rest',
    doc: { inner: { a: '1', b: '2' } },
    patch: { inner: { $retainKeys: ['b'], b: '3' } },
    want: { inner: { b: '3' } },
  },
  {
    name: '$retainKeys keeps what it names',
    doc: { inner: { a: '1', b: '2' } },
    patch: { inner: { $retainKeys: ['a', 'b'], b: '3' } },
    want: { inner: { a: '1', b: '3' } },
  },
  {
    name: '$retainKeys may leave out what is removed',
    doc: { inner: { a: '1', b: '2' } },
    patch: { inner: { $retainKeys: ['b'], a: null, b: '3' } },
    want: { inner: { b: '3' } },
  },
  {
    name: '$retainKeys in an item',
    doc: { items: [{ name: 'a', v: 1, w: 1 }] },
    patch: { items: [{ name: 'a', $retainKeys: ['name', 'w'], w: 2 }] },
    want: { items: [{ name: 'a', w: 2 }] },
  },
  {
    name: '$retainKeys that is no list',
    doc: { inner: {} },
    patch: { inner: { $retainKeys: 'a' } },
    fails: /must be a list/,
  },

  { name: 'not an object', doc: {}, patch: [], fails: /must be an object/ },
  {
    name: '__proto__ is a name',
    doc: { labels: {} },
    patch: { labels: JSON.parse('{"__proto__":"x"}') as unknown },
    want: { labels: JSON.parse('{"__proto__":"x"}') as unknown },
  },
];

for (const { name, doc, patch, want, fails } of cases) {
  test(name, async (t) => {
    const before = structuredClone({ doc, patch });
    if (fails === undefined) t.strictSame(applyStrategicMergePatch(doc, patch, schema), want);
    else
      t.throws(() => applyStrategicMergePatch(doc, patch, schema), {
        code: 'PATCH_MALFORMED',
        message: fails,
      });
    t.strictSame({ doc, patch }, before, 'the arguments are untouched');
  });
}

test('kubectl edit of a Service: a port renamed, one added', async (t) => {
  const current = {
    spec: {
      ports: [{ port: 80, protocol: 'TCP', targetPort: 8080, nodePort: 30080 }],
      selector: { app: 'web' },
    },
  };
  const patch = {
    spec: {
      '$setElementOrder/ports': [{ port: 80 }, { port: 443 }],
      ports: [
        { name: 'http', port: 80 },
        { name: 'https', port: 443, protocol: 'TCP', targetPort: 8443 },
      ],
    },
  };
  t.strictSame(applyStrategicMergePatch(current, patch, serviceKind.schema), {
    spec: {
      ports: [
        { name: 'http', port: 80, protocol: 'TCP', targetPort: 8080, nodePort: 30080 },
        { name: 'https', port: 443, protocol: 'TCP', targetPort: 8443 },
      ],
      selector: { app: 'web' },
    },
  });
});

test('kinds as they are: finalizers, owners, conditions, containers', async (t) => {
  const current = {
    metadata: { finalizers: ['a/x', 'b/y'], ownerReferences: [{ uid: '1', name: 'o' }] },
    spec: { containers: [{ name: 'app', ports: [{ containerPort: 80, protocol: 'TCP' }] }] },
    status: {
      conditions: [
        { type: 'Ready', status: 'False' },
        { type: 'Initialized', status: 'True' },
      ],
    },
  };
  const patch = {
    metadata: { '$deleteFromPrimitiveList/finalizers': ['a/x'], ownerReferences: [{ uid: '2', name: 'p' }] },
    spec: { containers: [{ name: 'app', ports: [{ containerPort: 80, name: 'http' }] }] },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  };
  t.strictSame(applyStrategicMergePatch(current, patch, podKind.schema), {
    metadata: {
      finalizers: ['b/y'],
      ownerReferences: [
        { uid: '2', name: 'p' },
        { uid: '1', name: 'o' },
      ],
    },
    spec: { containers: [{ name: 'app', ports: [{ containerPort: 80, protocol: 'TCP', name: 'http' }] }] },
    status: {
      conditions: [
        { type: 'Ready', status: 'True' },
        { type: 'Initialized', status: 'True' },
      ],
    },
  });
});

test('without lists and directives it is a merge patch', async (t) => {
  const { random, seed } = randomSource();
  for (let round = 0; round < 500; round += 1) {
    const doc = { loose: randomValue(random) };
    const patch = { loose: randomValue(random) };
    const label = `seed ${seed} round ${round}`;
    t.strictSame(applyStrategicMergePatch(doc, patch, schema), applyMergePatch(doc, patch), label);
  }
});

test("kubectl's difference, applied to an object someone else changed too, gives both changes", async (t) => {
  const { random, seed } = randomSource();
  for (let round = 0; round < 500; round += 1) {
    const label = `seed ${seed} round ${round}`;
    const from = randomItems(random, 'abcdef');
    const to = randomItems(random, 'abcdef');
    const added = randomItems(random, 'xyz').filter(() => below(random, 2) === 0);
    const live = shuffledInto(random, from, added);
    const patch = {
      items: listDifference(from, to),
      '$setElementOrder/items': to.map(({ name }) => ({ name })),
    };
    const result = (applyStrategicMergePatch({ items: live }, patch, schema) as { items: Item[] }).items;
    const ours = result.filter(({ name }) => !'xyz'.includes(name));
    t.strictSame(ours, to, `the writer's items, in the writer's order (${label})`);
    const theirs = result.filter(({ name }) => 'xyz'.includes(name));
    const kept = live.filter(({ name }) => 'xyz'.includes(name));
    t.strictSame(theirs, kept, `items of others, in their order (${label})`);
    t.strictSame(
      applyStrategicMergePatch({ items: result }, patch, schema),
      { items: result },
      `again (${label})`,
    );
  }
});

interface Item {
  readonly name: string;
  readonly v: number;
}

function randomItems(random: Random, alphabet: string): Item[] {
  const left = [...alphabet];
  const items: Item[] = [];
  for (let count = below(random, left.length + 1); count > 0; count -= 1) {
    const name = pick(random, left);
    left.splice(left.indexOf(name), 1);
    items.push({ name, v: below(random, 3) });
  }
  return items;
}

function shuffledInto(random: Random, items: readonly Item[], added: readonly Item[]): Item[] {
  const all = [...items];
  let at = 0;
  for (const item of added) {
    at += below(random, all.length - at + 1);
    all.splice(at, 0, item);
  }
  return all;
}

function listDifference(from: readonly Item[], to: readonly Item[]): unknown[] {
  const changed = to.filter((item) => from.find(({ name }) => name === item.name)?.v !== item.v);
  const gone = from.filter((item) => !to.some(({ name }) => name === item.name));
  return [...changed, ...gone.map(({ name }) => ({ name, $patch: 'delete' }))];
}
