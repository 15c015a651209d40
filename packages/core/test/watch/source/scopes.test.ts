import { scopesOfNamespaces, scopesOfObjects, scopesOfSlices } from '@outrigger/core/watch';
import { test } from 'tap';

const refs = (namespace: string, count: number): { namespace: string; name: string }[] =>
  Array.from({ length: count }, (_, i) => ({ namespace, name: `s${i}` }));

test('namespaces: those given, or all', (t) => {
  t.same(scopesOfNamespaces(), [{}]);
  t.same(scopesOfNamespaces([]), [{}]);
  t.same(scopesOfNamespaces(['a', 'b', 'a']), [{ namespace: 'a' }, { namespace: 'b' }]);
  t.end();
});

test('objects: by name while they are few, in whatever order they are named', (t) => {
  const web = { namespace: 'shop', name: 'web' };
  const api = { namespace: 'shop', name: 'api' };
  const expected = [
    { namespace: 'shop', fieldSelector: 'metadata.name=api' },
    { namespace: 'shop', fieldSelector: 'metadata.name=web' },
  ];
  t.same(scopesOfObjects([web, api, web]), expected);
  t.same(scopesOfObjects([api, web]), expected);
  t.same(scopesOfObjects([]), [], 'nothing asked for is nothing watched');
  t.equal(scopesOfObjects(refs('a', 8)).length, 8);
  t.same(scopesOfObjects([...refs('a', 9), ...refs('b', 1)]), [
    { namespace: 'a' },
    { namespace: 'b', fieldSelector: 'metadata.name=s0' },
  ]);
  t.end();
});

test('slices: one stream per namespace, by label while the Services are few', (t) => {
  t.same(scopesOfSlices([{ namespace: 'shop', name: 'web' }]), [
    { namespace: 'shop', labelSelector: 'kubernetes.io/service-name=web' },
  ]);
  t.same(scopesOfSlices(refs('a', 2)), [
    { namespace: 'a', labelSelector: 'kubernetes.io/service-name in (s0,s1)' },
  ]);
  t.same(scopesOfSlices(refs('a', 51)), [{ namespace: 'a' }]);
  t.end();
});
