import { ShrinkHold, wholeRecords } from '@outrigger/core/watch';
import type { Changes, Doubt, Held, HoldRule } from '@outrigger/core/watch';
import { seededRandom } from '@outrigger/core/clock';
import { test } from 'tap';

/** A slice: address → ready. */
interface Slice {
  readonly service: string;
  readonly endpoints: Readonly<Record<string, boolean>>;
}

const rule: HoldRule<Slice> = {
  groupOf: ({ service }) => service,
  readyIn: ({ endpoints }) => Object.keys(endpoints).filter((address) => endpoints[address]),
  knownIn: ({ endpoints }) => Object.keys(endpoints),
  retain: (before, after, keep) => ({
    ...(after ?? before),
    endpoints: {
      ...after?.endpoints,
      ...Object.fromEntries(Object.entries(before.endpoints).filter(([address]) => keep.has(address))),
    },
  }),
};

const holdMs = 30_000;

function slice(key: string, ready: string, notReady = '', service = 'web'): Held<Slice> {
  const endpoints: Record<string, boolean> = {};
  for (const address of ready) endpoints[address] = true;
  for (const address of notReady) endpoints[address] = false;
  return { key, revision: '1', record: { service, endpoints } };
}

function batch(put: Held<Slice>[], gone: Held<Slice>[] = [], doubt?: Doubt): Changes<Slice> {
  const cause = doubt === undefined ? 'watch' : 'relist';
  return { put, delete: gone, revision: '7', cause, doubt, identity: 'c1' };
}

/** A receiver: what it would balance over. */
class Receiver {
  readonly records = new Map<string, Slice>();
  readonly hold = new ShrinkHold(rule, holdMs);

  take(changes: Changes<Slice> | undefined): void {
    for (const { key, record } of changes?.put ?? []) this.records.set(key, record);
    for (const { key } of changes?.delete ?? []) this.records.delete(key);
  }

  apply(changes: Changes<Slice>, now = 0): this {
    this.take(this.hold.apply(changes, now));
    return this;
  }

  ready(service = 'web'): string {
    const addresses = [...this.records.values()]
      .filter((record) => record.service === service)
      .flatMap((record) => rule.readyIn(record) as string[]);
    return [...new Set(addresses)].toSorted().join('');
  }
}

function holding(...slices: Held<Slice>[]): Receiver {
  return new Receiver().apply(batch(slices));
}

test('without doubt everything applies at once', (t) => {
  const r = holding(slice('s1', 'abcd')).apply(batch([slice('s1', 'a')]));
  t.equal(r.ready(), 'a');
  t.equal(r.hold.next(), undefined);
  r.apply(batch([], [slice('s1', 'a')]));
  t.equal(r.ready(), '');
  t.end();
});

test('after a break: half may go at once, more than half waits, additions never', (t) => {
  t.equal(
    holding(slice('s1', 'abcd'))
      .apply(batch([slice('s1', 'abx')], [], 'broken-watch'))
      .ready(),
    'abx',
  );
  const r = holding(slice('s1', 'abcd')).apply(batch([slice('s1', 'ax')], [], 'broken-watch'), 5_000);
  t.equal(r.ready(), 'abcdx');
  t.equal(r.hold.next(), 35_000);
  t.same(r.hold.waiting(), [
    { group: 'web', members: ['b', 'c', 'd'], doubt: 'broken-watch', until: 35_000 },
  ]);
  t.equal(r.hold.expire(34_999), undefined);
  const changes = r.hold.expire(35_000);
  t.equal(changes?.cause, 'shrink-hold');
  r.take(changes);
  t.equal(r.ready(), 'ax');
  t.equal(r.hold.next(), undefined);
  t.end();
});

test('a deleted slice waits like a shrunken one', (t) => {
  const s2 = slice('s2', 'cd');
  const r = holding(slice('s1', 'ab'), s2, slice('s3', 'e')).apply(
    batch([slice('s1', 'a')], [s2], 'broken-watch'),
  );
  t.equal(r.ready(), 'abcde');
  r.take(r.hold.expire(holdMs));
  t.equal(r.ready(), 'ae');
  t.notOk(r.records.has('s2'));
  t.end();
});

test('endpoints that moved to another slice of the Service are not lost', (t) => {
  const s1 = slice('s1', 'abcd');
  const r = holding(s1).apply(batch([slice('s2', 'abcd')], [s1], 'broken-watch'));
  t.equal(r.ready(), 'abcd');
  t.equal(r.hold.size, 0);
  t.notOk(r.records.has('s1'));
  t.end();
});

test('each Service is judged by itself', (t) => {
  const gone = slice('s2', 'xy', '', 'api');
  const r = holding(slice('s1', 'abcd'), gone).apply(batch([slice('s1', 'abc')], [gone], 'broken-watch'));
  t.equal(r.ready('web'), 'abc', 'a quarter goes');
  t.equal(r.ready('api'), 'xy', 'all of it waits');
  t.end();
});

test('endpoints that a distrusted list calls not ready are removals too', (t) => {
  const r = holding(slice('s1', 'abcd')).apply(batch([slice('s1', '', 'abcd')], [], 'broken-watch'));
  t.equal(r.ready(), 'abcd');
  r.take(r.hold.expire(holdMs));
  t.equal(r.ready(), '');
  t.end();
});

test('another cluster or an earlier revision: every removal waits', (t) => {
  for (const doubt of ['identity-changed', 'revision-went-back'] as const) {
    const r = holding(slice('s1', 'abcd')).apply(batch([slice('s1', 'abc')], [], doubt));
    t.equal(r.ready(), 'abcd', doubt);
  }
  t.end();
});

test('what the watch says of a waiting endpoint is believed', (t) => {
  const r = holding(slice('s1', 'abcd')).apply(batch([slice('s1', '')], [], 'broken-watch'));
  r.apply(batch([slice('s1', 'a')]), 1_000);
  t.equal(r.ready(), 'abcd', 'one is back, the others still wait');
  t.equal(r.hold.size, 3);
  r.apply(batch([slice('s1', 'a', 'b')]), 2_000);
  t.equal(r.ready(), 'acd', 'one is known to be not ready');
  r.apply(batch([slice('s2', 'c')]), 3_000);
  t.equal(r.ready(), 'acd');
  t.same(r.hold.waiting()[0]?.members, ['d'], 'one is back in another slice');
  r.apply(batch([slice('s2', '', 'c')]), 4_000);
  t.equal(r.ready(), 'ad', 'and what the old slice said of it is forgotten');
  r.take(r.hold.expire(holdMs));
  t.equal(r.ready(), 'a');
  t.end();
});

test('a slice that comes back before its time takes the place of what waited', (t) => {
  const s1 = slice('s1', 'ab');
  const r = holding(s1)
    .apply(batch([], [s1], 'broken-watch'))
    .apply(batch([slice('s1', 'ab')]), 1_000);
  t.equal(r.ready(), 'ab');
  t.equal(r.hold.next(), undefined);
  t.equal(r.hold.expire(holdMs), undefined);
  t.equal(r.ready(), 'ab');
  t.end();
});

test('a second distrusted list does not lengthen the wait of the first', (t) => {
  const r = holding(slice('s1', 'abcd')).apply(batch([slice('s1', 'a')], [], 'broken-watch'), 0);
  r.apply(batch([slice('s1', 'a')], [], 'broken-watch'), 20_000);
  t.equal(r.hold.next(), holdMs);
  r.apply(batch([slice('s1', '')], [], 'broken-watch'), 25_000);
  t.equal(r.ready(), 'abcd', 'new losses wait with the old');
  r.take(r.hold.expire(25_000 + holdMs));
  t.equal(r.ready(), '');
  t.end();
});

test('a deletion by the watch applies at once, but not to what waits', (t) => {
  const r = holding(slice('s1', 'abcd')).apply(batch([slice('s1', 'a')], [], 'broken-watch'));
  r.apply(batch([], [slice('s1', 'a')]), 1_000);
  t.equal(r.ready(), 'bcd');
  r.take(r.hold.expire(holdMs));
  t.equal(r.records.size, 0);
  t.end();
});

test('0 holds nothing', (t) => {
  const hold = new ShrinkHold(rule, 0);
  hold.apply(batch([slice('s1', 'abcd')]), 0);
  const changes = batch([], [slice('s1', 'abcd')], 'identity-changed');
  t.equal(hold.apply(changes, 0), changes);
  t.end();
});

test('whole records: a Service that a distrusted list lacks', (t) => {
  const hold = new ShrinkHold<string>(
    wholeRecords((record) => record),
    holdMs,
  );
  const held = (key: string): Held<string> => ({ key, revision: '1', record: key });
  const empty = { revision: '7', identity: 'c1' } as const;
  hold.apply({ ...empty, put: [held('web'), held('api')], delete: [], cause: 'list', doubt: undefined }, 0);
  const seen = hold.apply(
    {
      ...empty,
      put: [held('new')],
      delete: [held('web'), held('api')],
      cause: 'relist',
      doubt: 'broken-watch',
    },
    0,
  );
  t.same(seen.delete, []);
  t.ok(seen.put.some(({ key }) => key === 'new'));
  hold.apply({ ...empty, put: [held('web')], delete: [], cause: 'watch', doubt: undefined }, 1_000);
  t.same(
    hold.expire(holdMs)?.delete.map(({ key }) => key),
    ['api'],
  );
  t.end();
});

test('whatever comes: nothing held outlives its time, and then the receiver has what the server has', (t) => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = seededRandom(seed);
    const pick = (from: string): string => [...from].filter(() => random.next() < 0.5).join('');
    const server = new Map<string, Held<Slice>>();
    const r = new Receiver();
    let now = 0;
    let lastDoubt = 0;
    for (let i = 0; i < 30; i++) {
      now += random.next() * 10_000;
      const doubt =
        random.next() < 0.3
          ? (['broken-watch', 'identity-changed'] as const)[Math.floor(random.next() * 2)]
          : undefined;
      if (doubt !== undefined) lastDoubt = now;
      const changed = ['s1', 's2', 's3'].filter(() => random.next() < 0.5);
      const put: Held<Slice>[] = [];
      const gone: Held<Slice>[] = [];
      for (const key of changed) {
        const old = server.get(key);
        server.delete(key);
        if (random.next() < 0.3 && old !== undefined) gone.push(old);
        else put.push(slice(key, pick('abcdef'), pick('ghi')));
      }
      for (const held of put) server.set(held.key, held);
      const before = r.ready();
      r.apply(batch(put, gone, doubt), now);
      if (doubt === 'identity-changed') {
        t.ok(
          [...before].every((address) => r.ready().includes(address)),
          `nothing goes at once, seed ${seed}`,
        );
      }
      const next = r.hold.next();
      if (next !== undefined && next <= now) r.take(r.hold.expire(now));
    }
    t.ok((r.hold.next() ?? 0) <= lastDoubt + holdMs, `seed ${seed}`);
    r.take(r.hold.expire(lastDoubt + holdMs));
    const plain = (records: Iterable<[string, Slice]>): object => Object.fromEntries([...records].toSorted());
    const truth = plain([...server].map(([key, { record }]): [string, Slice] => [key, record]));
    if (!t.same(plain(r.records), truth, `seed ${seed}`)) break;
  }
  t.end();
});
