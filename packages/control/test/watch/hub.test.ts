/** The fan-out against sinks that are told what to do, so that slowness and order can be chosen. */

import { test } from 'tap';
import { FakeClock } from '@outrigger/core/clock';
import { configMapKind } from '@outrigger/core/api';
import { silentLogger } from '@outrigger/core/log';
import { Cache } from '../../src/cache/cache.ts';
import { encodeObject } from '../../src/registry/codec.ts';
import { defineResource } from '../../src/registry/resource.ts';
import { plain } from '../../src/represent/plain.ts';
import { openMemoryStore } from '../../src/store/index.ts';
import type { Frame } from '../../src/watch/frame.ts';
import { WatchHub } from '../../src/watch/hub.ts';
import { defaultWatchLimits } from '../../src/watch/limits.ts';
import { everything } from '../../src/watch/selection.ts';
import type { WatchSink } from '../../src/watch/sink.ts';
import type { WatchSpec } from '../../src/watch/watcher.ts';

const resource = defineResource(configMapKind);

class FakeSink implements WatchSink {
  readonly frames: Frame[] = [];
  pendingBytes = 0;
  state: 'open' | 'ended' | 'cut' = 'open';
  #drained: (() => void) | undefined;
  #closed: (() => void) | undefined;

  write(frame: Frame): void {
    this.frames.push(frame);
  }
  onceDrained(callback: () => void): void {
    if (this.pendingBytes === 0) callback();
    else this.#drained = callback;
  }
  onceClosed(callback: () => void): void {
    this.#closed = callback;
  }
  end(): void {
    this.state = 'ended';
  }
  cut(): void {
    this.state = 'cut';
  }
  drain(): void {
    this.pendingBytes = 0;
    this.#drained?.();
  }
  leave(): void {
    this.#closed?.();
  }
  get events(): string[] {
    const text = Buffer.concat(this.frames.map(({ body }) => body)).toString();
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { type: string; object: { metadata: { name?: string } } })
      .map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`.trim());
  }
}

async function setUp(
  t: { teardown(run: () => unknown): void },
  limits: Partial<typeof defaultWatchLimits> = {},
) {
  const clock = new FakeClock();
  const store = openMemoryStore({ clock });
  const cache = await Cache.open({
    store,
    resources: [resource],
    clock,
    limits: { historyMs: 1_000, historyFloor: 5, historyCeiling: 20, historyBytes: 1_000_000 },
    replayRevisions: 0,
  });
  const closed: string[] = [];
  const hub = new WatchHub({
    cache,
    clock,
    log: silentLogger(),
    limits: { ...defaultWatchLimits, ...limits },
    expired: (asked, oldest) => ({ code: 410, metadata: { name: `${asked} ${oldest}` } }),
    counters: { opened: () => {}, closed: (_resource, reason) => void closed.push(reason), sent: () => {} },
  });
  t.teardown(async () => {
    hub.close();
    await cache.close();
    await store.close();
  });
  const put = async (name: string, data = ''): Promise<number> => {
    const value = encodeObject(resource, {
      metadata: { name, namespace: 'default' },
      data: { data },
    } as never);
    const result = await store.txn([], [{ type: 'put', key: `${resource.prefix}default/${name}`, value }]);
    return result.ok ? result.revision : 0;
  };
  const open = (extra: Partial<WatchSpec> = {}): FakeSink => {
    const sink = new FakeSink();
    const spec: WatchSpec = {
      resource,
      scope: { namespace: '', name: undefined },
      selection: everything,
      represent: plain(resource),
      start: { type: 'after', revision: cache.revision },
      bookmarks: false,
      timeoutMs: 1_000_000,
      ...extra,
    };
    hub.open(spec, sink);
    return sink;
  };
  /** Lets everything under way arrive: advancing by nothing turns the event loop. */
  const settle = async (): Promise<void> => {
    await cache.caughtUp();
    for (let i = 0; i < 10; i++) await clock.advance(0);
  };
  return { clock, cache, hub, closed, put, open, settle };
}

test('watchers who want the same get the very same bytes', async (t) => {
  const { put, open, settle } = await setUp(t);
  const [one, two] = [open(), open()];
  const named = open({ scope: { namespace: 'default', name: 'a' } });
  await put('a');
  await settle();
  t.same(one.events, ['ADDED a']);
  t.equal(one.frames[0], two.frames[0]);
  t.same(named.events, ['ADDED a']);
  t.equal(
    one.frames[0]?.chunk.toString(),
    `${one.frames[0]?.body.length.toString(16)}\r\n${one.frames[0]?.body.toString()}\r\n`,
  );
});

test('events at hand are one write', async (t) => {
  const { put, open, settle } = await setUp(t);
  const sink = open();
  await Promise.all(['a', 'b', 'c'].map((name) => put(name)));
  await settle();
  t.same(sink.events.toSorted(), ['ADDED a', 'ADDED b', 'ADDED c']);
  t.equal(sink.frames.length, 1);
});

test('a scope is told of nothing outside it', async (t) => {
  const { put, open, settle } = await setUp(t);
  const elsewhere = open({ scope: { namespace: 'other', name: undefined } });
  const other = open({ scope: { namespace: 'default', name: 'b' } });
  await put('a');
  await settle();
  t.same([...elsewhere.events, ...other.events], []);
});

test('a slow watcher is cut off; one that only begins may be far behind', async (t) => {
  const { put, open, settle, closed } = await setUp(t, { watchBufferBytes: 100 });
  const slow = open();
  slow.pendingBytes = 101;
  await put('a');
  await settle();
  t.equal(slow.state, 'cut');
  t.same(closed, ['slow']);
  for (let i = 0; i < 6; i++) await put(`big-${i}`, 'x'.repeat(100_000));
  await settle();
  const beginning = open({ start: { type: 'state', endMark: false } });
  await settle();
  t.equal(beginning.events.length, 7);
  t.equal(beginning.state, 'open');
});

test('a beginning waits for the reader, and gives up on one that takes nothing', async (t) => {
  const { clock, cache, hub, put, settle, closed } = await setUp(t, { watchStallMs: 5_000 });
  for (let i = 0; i < 8; i++) await put(`big-${i}`, 'x'.repeat(100_000));
  await settle();
  const start = (sink: FakeSink): void =>
    hub.open(
      {
        resource,
        scope: { namespace: '', name: undefined },
        selection: everything,
        represent: plain(resource),
        start: { type: 'state', endMark: false },
        bookmarks: false,
        timeoutMs: 1_000_000,
      },
      sink,
    );
  const reader = new FakeSink();
  reader.pendingBytes = 300_000;
  start(reader);
  await settle();
  t.equal(reader.events.length, 1, 'nothing more while the first piece is pending');
  await put('later');
  reader.drain();
  await settle();
  t.same(reader.events.length, 9);
  t.equal(reader.events.at(-1), 'ADDED later', 'what happened meanwhile follows');
  const deaf = new FakeSink();
  deaf.pendingBytes = 300_000;
  start(deaf);
  await settle();
  await clock.advance(5_000);
  t.equal(deaf.state, 'cut');
  t.same(closed, ['stalled']);
  t.ok(cache.revision > 0);
});

test('changes faster than history can hold expire their watchers instead of skipping any', async (t) => {
  const { put, open, settle } = await setUp(t);
  const sink = open();
  await Promise.all(Array.from({ length: 30 }, (_, i) => put(`n${i}`)));
  await settle();
  t.match(sink.events, [/^ERROR/]);
  t.equal(sink.state, 'ended');
});

test('a watcher that leaves is forgotten', async (t) => {
  const { hub, put, open, settle, closed } = await setUp(t);
  const sink = open();
  t.equal(hub.size, 1);
  sink.leave();
  t.equal(hub.size, 0);
  await put('a');
  await settle();
  t.same(sink.events, []);
  t.same(closed, ['client']);
});

test('after closing, a new watch is ended at once', async (t) => {
  const { hub, open, closed } = await setUp(t);
  hub.close();
  t.equal(open().state, 'ended');
  t.same(closed, ['shutdown']);
});
