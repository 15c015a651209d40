import { test } from 'tap';
import { FakeClock } from '@outrigger/core/clock';
import { configMapKind } from '@outrigger/core/api';
import { Cache } from '../../src/cache/cache.ts';
import { encodeObject } from '../../src/registry/codec.ts';
import { defineResource } from '../../src/registry/resource.ts';
import { openMemoryStore } from '../../src/store/index.ts';
import type { Store } from '../../src/store/store.ts';

const resource = defineResource(configMapKind);
const limits = { historyMs: 1_000, historyFloor: 5, historyCeiling: 20, historyBytes: 1_000_000 };

const object = (name: string): Uint8Array => encodeObject(resource, { metadata: { name, namespace: 'a' } });
const put = async (store: Store, name: string): Promise<void> => {
  await store.txn([], [{ type: 'put', key: `${resource.prefix}a/${name}`, value: object(name) }]);
};

test('a cache shows what was acknowledged, once it has caught up', async (t) => {
  const clock = new FakeClock();
  const store = openMemoryStore({ clock });
  await put(store, 'before');
  const cache = await Cache.open({ store, resources: [resource], clock, limits, replayRevisions: 0 });
  t.ok(cache.of(resource).get('a/before'));
  await put(store, 'after');
  await cache.caughtUp();
  t.ok(cache.of(resource).get('a/after'));
  t.equal(cache.revision, store.status().revision);
  await cache.close();
  await store.close();
});

test('history from before the start is taken in', async (t) => {
  const clock = new FakeClock();
  const store = openMemoryStore({ clock });
  for (const name of ['one', 'two', 'three']) await put(store, name);
  const cache = await Cache.open({ store, resources: [resource], clock, limits, replayRevisions: 2 });
  const { history } = cache.of(resource);
  t.same(
    history.between(history.floor, 99).map(({ entry }) => entry.name),
    ['two', 'three'],
  );
  await cache.close();
  await store.close();
});

test('waiting for a revision can be given up', async (t) => {
  const clock = new FakeClock();
  const store = openMemoryStore({ clock });
  const cache = await Cache.open({ store, resources: [resource], clock, limits, replayRevisions: 0 });
  const abort = new AbortController();
  const waiting = cache.reached(1_000, abort.signal);
  abort.abort(new Error('enough'));
  await t.rejects(waiting, { message: 'enough' });
  await cache.close();
  await store.close();
});

test('a feed that breaks is told to everyone, also to those who wait', async (t) => {
  const clock = new FakeClock();
  const store = openMemoryStore({ clock });
  const broken: Store = Object.create(store, {
    watch: {
      value: async function* () {
        yield [];
        throw new Error('gone');
      },
    },
    epoch: { value: store.epoch },
    status: { value: () => store.status() },
    range: { value: store.range.bind(store) },
  }) as Store;
  const cache = await Cache.open({ store: broken, resources: [resource], clock, limits, replayRevisions: 0 });
  const told = new Promise((resolve) => cache.onFailure(resolve));
  const waiting = cache.reached(1_000);
  await t.rejects(waiting, { code: 'CACHE_FAILED' });
  t.match(await told, { message: 'gone' });
  await t.rejects(cache.caughtUp(), { code: 'CACHE_FAILED' });
  await cache.close();
  await store.close();
});
