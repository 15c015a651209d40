import { configMapKind, maxAnnotationBytes, namespaceKind, nodeKind, serviceKind } from '@outrigger/core/api';
import { test } from 'tap';
import type { Loose } from './fixtures.ts';
import { named, problems, service, where } from './fixtures.ts';

const owner = { apiVersion: 'v1', kind: 'Service', name: 'web', uid: 'u1' };

function of(metadata: Loose, old?: Loose): string[] {
  return problems(configMapKind, named({}, metadata), old === undefined ? undefined : named({}, old));
}

test('good metadata passes', (t) => {
  t.same(
    of({
      generateName: 'web-',
      labels: { 'app.kubernetes.io/name': 'web', empty: '' },
      annotations: { 'Example.com/Any': 'any text: {"a": 1}\n' },
      ownerReferences: [
        { ...owner, controller: true },
        { ...owner, uid: 'u2' },
      ],
      finalizers: ['example.com/hold', 'foregroundDeletion'],
    }),
    [],
  );
  t.end();
});

test('bad metadata is refused where it is', (t) => {
  const rows: [string, Loose, string[]][] = [
    ['no name', { name: undefined }, ['Required metadata.name']],
    ['a name that was not made yet', { name: '', generateName: 'web-' }, ['Required metadata.name']],
    ['a bad name', { name: 'Web' }, ['Invalid metadata.name']],
    ['a name with a slash', { name: 'a/b' }, ['Invalid metadata.name', 'Invalid metadata.name']],
    ['a bad generateName', { generateName: 'Web-' }, ['Invalid metadata.generateName']],
    ['no namespace', { namespace: '' }, ['Required metadata.namespace']],
    ['a bad namespace', { namespace: 'a.b' }, ['Invalid metadata.namespace']],
    ['a bad label key', { labels: { '-a': 'x' } }, ['Invalid metadata.labels']],
    ['a bad label value', { labels: { a: 'x y' } }, ['Invalid metadata.labels']],
    ['a bad annotation key', { annotations: { 'a/b/c': 'x' } }, ['Invalid metadata.annotations']],
    [
      'an owner without a uid',
      { ownerReferences: [{ ...owner, uid: undefined }] },
      ['Required metadata.ownerReferences[0].uid'],
    ],
    [
      'two controllers',
      {
        ownerReferences: [
          { ...owner, controller: true },
          { ...owner, uid: 'u2', controller: true },
        ],
      },
      ['Invalid metadata.ownerReferences'],
    ],
    [
      'a short finalizer nobody knows',
      { finalizers: ['ok.example.com/a', 'hold'] },
      ['Invalid metadata.finalizers[1]'],
    ],
    ['a finalizer that is no name', { finalizers: ['a/b/c'] }, ['Invalid metadata.finalizers[0]']],
    [
      'contradicting finalizers',
      { finalizers: ['orphan', 'foregroundDeletion'] },
      ['Invalid metadata.finalizers'],
    ],
    ['a negative generation', { generation: -1 }, ['Invalid metadata.generation']],
    ['labels that are no text', { labels: { a: 1 } }, ['TypeInvalid metadata.labels[a]']],
  ];
  for (const [name, metadata, want] of rows) t.same(where(of(metadata)), want, name);
  t.end();
});

test('the texts people search for', (t) => {
  t.same(of({ name: '' }), ['Required metadata.name: Required value: name or generateName is required']);
  t.same(problems(namespaceKind, { metadata: { name: 'a', namespace: 'b' } }), [
    'Forbidden metadata.namespace: Forbidden: not allowed on this type',
  ]);
  t.match(
    of({ finalizers: ['hold'] })[0],
    'name is neither a standard finalizer name nor is it fully qualified',
  );
  t.match(
    of({
      ownerReferences: [
        { ...owner, controller: true },
        { ...owner, uid: 'u2', controller: true },
      ],
    })[0],
    'only one reference can have controller set to true, found Service/web, Service/web',
  );
  t.end();
});

test('annotations have a limit together', (t) => {
  const half = 'x'.repeat(maxAnnotationBytes / 2 - 1);
  t.same(of({ annotations: { a: half, b: half } }), []);
  t.same(of({ annotations: { a: half, b: `${half}x` } }), [
    'TooLong metadata.annotations: Too long: may not be more than 262144 bytes',
  ]);
  t.end();
});

test('every kind checks its own names', (t) => {
  t.same(problems(serviceKind, service({}, { name: 'a1' })), []);
  t.same(where(problems(serviceKind, service({}, { name: '1a' }))), ['Invalid metadata.name']);
  t.same(where(problems(namespaceKind, { metadata: { name: 'a.b' } })), ['Invalid metadata.name']);
  t.same(problems(nodeKind, { metadata: { name: 'node-1.example.com' } }), []);
  t.end();
});

test('identity cannot change', (t) => {
  t.same(of({ uid: 'a' }, { uid: 'a' }), []);
  t.same(of({ name: 'other', uid: 'b' }, { uid: 'a' }), [
    'Invalid metadata.name: Invalid value: "other": field is immutable',
    'Invalid metadata.uid: Invalid value: "b": field is immutable',
  ]);
  t.end();
});

test('finalizers can leave an object that is going, not come', (t) => {
  const old = { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['a.io/a', 'a.io/b'] };
  t.same(of({ ...old, finalizers: ['a.io/b'] }, old), []);
  t.same(of({ ...old, finalizers: ['a.io/a', 'a.io/c'] }, old), [
    'Forbidden metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, ' +
      'found new finalizers ["a.io/c"]',
  ]);
  t.end();
});
