import { testDeps, MemoryNet, eventually } from '@outrigger/core/testing';
import { createSource } from '@outrigger/core/watch';
import { test } from 'tap';
import { FakeApi, fakeObject } from './fake-api.ts';

const services = { group: '', version: 'v1', resource: 'services', namespaced: true };

test('smoke', async (t) => {
  const net = new MemoryNet();
  const api = new FakeApi();
  await api.listen(net);
  api.put('services', fakeObject('default', 'web'));
  const deps = testDeps({ net });
  const source = await createSource({ control: [api.url] }, { role: 'proxy', version: '1' }, deps);
  const seen: string[] = [];
  source.watch({
    resource: services,
    project: (object: { metadata: { name: string } }) => object.metadata.name,
    onChanges: (changes) => {
      for (const { key } of changes.put) seen.push(`+${key}`);
      for (const { key } of changes.delete) seen.push(`-${key}`);
    },
  });
  await source.start();
  await source.ready;
  t.same(seen, ['+default/web']);
  api.put('services', fakeObject('default', 'api'));
  await eventually('event', () => seen.includes('+default/api'));
  api.delete('services', 'default/web');
  await eventually('event', () => seen.includes('-default/web'));
  await source.close();
  api.close();
});
