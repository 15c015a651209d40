import { test } from 'tap';
import { Driver, endMark, object } from './driver.ts';

const keys = (held: readonly { key: string }[] | undefined): string[] =>
  (held ?? []).map(({ key }) => key).toSorted();
const expired = { kind: 'Status', status: 'Failure', code: 410, reason: 'Expired', message: 'too old' };

test('identifies the cluster, then lists by a watch that begins with what there is', (t) => {
  const d = new Driver();
  t.same(d.step, { do: 'identify' });
  t.match(d.identified(), { do: 'watch', at: 'u', revision: undefined });
  t.equal(d.lines(['ADDED', object('a', 3)], ['ADDED', object('b', 5)]), undefined);
  t.equal(d.batches.length, 0, 'nothing before all of it is there');
  t.equal(d.lines(['BOOKMARK', endMark('9')], ['MODIFIED', object('a', 10, 2)]), undefined);
  t.match(d.batches, [
    { cause: 'list', doubt: undefined, revision: '9', identity: 'c1' },
    { cause: 'watch', revision: '10' },
  ]);
  t.same(keys(d.batches[0]?.put), ['ns/a', 'ns/b']);
  t.same(d.held, { 'ns/a': 2, 'ns/b': 1 });
  t.equal(d.core.phase, 'watching');
  t.end();
});

test('the timeout it asks for is 5 to 10 minutes, not the same for all', (t) => {
  const asked = [1, 2, 3, 4].map((seed) => {
    const step = new Driver({ seed }).identified();
    return step.do === 'watch' ? step.timeoutSeconds : 0;
  });
  for (const seconds of asked) t.ok(seconds >= 300 && seconds <= 600, String(seconds));
  t.equal(new Set(asked).size, 4);
  t.end();
});

test('refused watch-list falls back to pages, for this server, for good', (t) => {
  const d = new Driver();
  d.identified();
  t.match(d.failed('refused'), { do: 'list', limit: 500, continue: undefined });
  t.equal(d.failures.length, 0, 'no back-off: nothing is wrong');
  t.match(d.page('10', [object('a', 1)], 'next'), { do: 'list', continue: 'next' });
  t.equal(d.batches.length, 0, 'nothing before the last page');
  t.match(d.page('10', [object('b', 2)]), { do: 'watch', revision: '10' });
  t.same(d.held, { 'ns/a': 1, 'ns/b': 1 });
  t.equal(d.traits.watchList, false);
  t.end();
});

test('a server that takes sendInitialEvents and never ends them is listed in pages', (t) => {
  const silent = new Driver();
  silent.identified();
  silent.core.opened(0);
  t.equal(silent.core.silentAt(), 10_000);
  silent.event('ADDED', object('a', 3));
  t.match(silent.failed('silent'), { do: 'list' });
  const ended = new Driver();
  ended.identified();
  t.match(ended.tell({ result: 'ended' }), { do: 'list' });
  t.end();
});

test('history compacted between two pages: once more in one page', (t) => {
  const d = new Driver();
  d.traits.watchList = false;
  d.identified();
  d.page('10', [object('a', 1)], 'next');
  t.match(d.failed('expired'), { do: 'list', limit: 0, continue: undefined });
  t.match(d.page('12', [object('b', 2)]), { do: 'watch', revision: '12' });
  t.same(d.held, { 'ns/b': 1 }, 'the first page does not count');
  t.end();
});

test('events: last of a batch wins, deletion gives the last record, unwanted objects go', (t) => {
  const d = new Driver().watching(object('a', 1), object('b', 2), object('c', 3));
  d.lines(
    ['MODIFIED', object('a', 11, 2)],
    ['DELETED', object('b', 12)],
    ['MODIFIED', object('c', 13, 'hidden')],
    ['ADDED', object('d', 14)],
    ['DELETED', object('d', 15)],
    ['ADDED', object('x', 16, 'hidden')],
  );
  t.match(d.batches, [{ cause: 'watch', revision: '16', doubt: undefined }]);
  t.same(keys(d.batches[0]?.put), ['ns/a']);
  t.same(keys(d.batches[0]?.delete), ['ns/b', 'ns/c']);
  t.equal(d.batches[0]?.delete.find(({ key }) => key === 'ns/c')?.record.value, 1);
  t.same(d.held, { 'ns/a': 2 });
  t.end();
});

test('a bookmark moves the revision a watch goes on from', (t) => {
  const d = new Driver().watching(object('a', 1));
  d.event('BOOKMARK', { metadata: { resourceVersion: '50' } });
  t.equal(d.batches.length, 0);
  t.same(d.tell({ result: 'ended' }), { do: 'identify' }, 'a watch that ended in order goes on at once');
  t.match(d.identified('c1', '60'), { do: 'watch', revision: '50' });
  t.end();
});

test('a broken watch goes on from the last revision after a wait', (t) => {
  const d = new Driver().watching();
  d.event('ADDED', object('a', 11));
  t.match(d.failed('broken'), { do: 'wait' });
  t.match(d.recover(), { do: 'watch', revision: '11' });
  t.end();
});

test('expired: listed anew at once, with back-off when it comes again and again', (t) => {
  const d = new Driver().watching(object('a', 1));
  const failure = d.lines(['ADDED', object('b', 11)], ['ERROR', expired]);
  t.match(failure, { reason: 'expired' });
  t.same(d.held, { 'ns/a': 1, 'ns/b': 1 }, 'what came before it counts');
  t.same(d.failed('expired'), { do: 'identify' });
  t.match(d.identified(), { do: 'list' });
  d.page('20', [object('a', 1)]);
  t.match(d.batches.at(-1), { cause: 'relist', doubt: undefined }, 'no break: the list is trusted');
  t.same(keys(d.batches.at(-1)?.delete), ['ns/b']);
  d.now += 9_000;
  d.event('ERROR', expired);
  t.match(d.failed('expired'), { do: 'wait' });
  t.match(d.recover(), { do: 'list' });
  d.page('21', []);
  d.now += 10_000;
  t.match(d.failed('expired'), { do: 'identify' });
  t.end();
});

test('a list after a break is one difference, and in doubt', (t) => {
  const d = new Driver().watching(object('a', 1), object('b', 2), object('c', 3));
  d.failed('broken');
  d.recover();
  d.failed('expired');
  t.match(d.recover(), { do: 'list' });
  d.page('20', [object('a', 1), object('b', 15, 2), object('d', 16)]);
  t.match(d.batches, [{ cause: 'relist', doubt: 'broken-watch', revision: '20' }]);
  t.same(keys(d.batches[0]?.put), ['ns/b', 'ns/d'], 'what is the same is not told again');
  t.same(keys(d.batches[0]?.delete), ['ns/c']);
  t.end();
});

test('answers of a healthy server are no break', (t) => {
  for (const reason of ['throttled', 'unauthorized', 'forbidden', 'very-short', 'moved'] as const) {
    const d = new Driver().watching(object('a', 1));
    d.failed(reason);
    d.recover();
    d.failed('expired');
    d.recover();
    d.page('20', []);
    t.match(d.batches.at(-1), { cause: 'relist', doubt: undefined }, reason);
  }
  t.end();
});

test('another cluster: listed at once, in doubt, whatever the revision', (t) => {
  const d = new Driver().watching(object('a', 1));
  d.failed('broken');
  t.match(d.recover('c2', '99'), { do: 'list' });
  d.page('99', []);
  t.match(d.batches.at(-1), { doubt: 'identity-changed', identity: 'c2' });
  t.equal(d.core.holdings.identity, 'c2');
  t.end();
});

test('another cluster is noticed after a watch that ended in order too', (t) => {
  const d = new Driver().watching(object('a', 1));
  d.event('BOOKMARK', { metadata: { resourceVersion: '11' } });
  d.tell({ result: 'ended' });
  t.match(d.identified('c2', '99'), { do: 'list' });
  t.end();
});

test('the same content at the same revision in another cluster is no change; other content is', (t) => {
  const d = new Driver().watching(object('a', 1), object('b', 2));
  d.failed('broken');
  d.recover('c2', '99');
  d.page('99', [object('a', 1), object('b', 2, 'other')]);
  t.same(keys(d.batches.at(-1)?.put), ['ns/b']);
  t.end();
});

test('a revision that went back is not watched from but listed, in doubt', (t) => {
  const d = new Driver().watching(object('a', 1));
  d.failed('broken');
  t.match(d.recover('c1', '4'), { do: 'list' });
  d.page('4', []);
  t.match(d.batches.at(-1), { doubt: 'revision-went-back', revision: '4' });
  t.match(d.step, { do: 'watch', revision: '4' });
  t.end();
});

test('where the cluster may not be identified, it goes on without', (t) => {
  const d = new Driver();
  d.traits.watchList = false;
  const unknown = { result: 'identified', url: 'u', identity: undefined, revision: undefined } as const;
  t.match(d.tell(unknown), { do: 'list' });
  d.tell({ result: 'page', items: [object('a', 1)], revision: '10', continue: undefined });
  d.failed('broken');
  d.now += 1_000;
  d.tell({ result: 'waited' });
  t.match(d.tell(unknown), { do: 'watch' });
  t.end();
});

test('a receiver that throws has not taken the batch: it comes again', (t) => {
  const d = new Driver().watching(object('a', 1));
  d.refuse = new Error('not now');
  t.match(d.event('ADDED', object('b', 11)), { reason: 'consumer', message: 'not now' });
  t.same(d.held, { 'ns/a': 1 });
  d.failed('consumer');
  t.match(d.recover(), { do: 'watch', revision: '10' }, 'from before the event');
  d.event('ADDED', object('b', 11));
  t.same(keys(d.batches.at(-1)?.put), ['ns/b']);

  const listing = new Driver();
  listing.traits.watchList = false;
  listing.identified();
  listing.refuse = new Error('not now');
  t.match(listing.page('10', [object('a', 1)]), { do: 'wait' });
  t.match(listing.recover(), { do: 'list' });
  listing.page('10', [object('a', 1)]);
  t.match(listing.batches, [{ cause: 'list' }]);
  t.end();
});

test('liveness: dead without bookmarks where there were some, else when the timeout has passed', (t) => {
  const d = new Driver().watching();
  const step = d.step;
  if (step.do !== 'watch') throw new Error('not watching');
  t.equal(d.core.silentAt(), step.timeoutSeconds * 1_000 + 30_000);
  d.now = 60_000;
  d.event('BOOKMARK', { metadata: { resourceVersion: '11' } });
  t.equal(d.core.silentAt(), 210_000);
  d.now = 100_000;
  d.event('ADDED', object('a', 12));
  t.equal(d.core.silentAt(), 250_000);
  d.failed('silent');
  t.equal(d.core.silentAt(), Number.POSITIVE_INFINITY, 'nothing is open');
  t.end();
});

test('a watch that ends at once is a failure, or we would spin', (t) => {
  const d = new Driver().watching();
  d.now += 500;
  t.match(d.tell({ result: 'ended' }), { do: 'wait' });
  t.equal(d.failures.at(-1)?.failure.reason, 'very-short');
  d.recover();
  d.now += 1_000;
  t.same(d.tell({ result: 'ended' }), { do: 'identify' });
  t.end();
});

test('what no API server sends is refused and listed anew', (t) => {
  for (const line of [
    '{',
    '[]',
    '{"type":"ADDED"}',
    '{"type":"ADDED","object":{}}',
    '{"type":"NEWS","object":{}}',
  ]) {
    const d = new Driver().watching(object('a', 1));
    t.match(d.core.lines([line], 0), { reason: 'protocol' }, line);
    d.failed('protocol');
    t.match(d.recover(), { do: 'list' }, line);
  }
  const d = new Driver();
  d.traits.watchList = false;
  d.identified();
  t.match(d.page('10', [{ metadata: {} }]), { do: 'wait' });
  t.equal(d.failures[0]?.failure.reason, 'protocol');
  t.end();
});

test('events from before what is known: another store answers, so it is listed anew', (t) => {
  for (const event of [
    ['MODIFIED', object('a', 9)],
    ['BOOKMARK', { metadata: { resourceVersion: '9' } }],
  ] as const) {
    const d = new Driver().watching(object('a', 1));
    t.match(d.lines([...event]), { reason: 'protocol' });
    d.failed('protocol');
    t.match(d.recover(), { do: 'list' });
  }
  const d = new Driver().watching(object('a', 1));
  t.match(d.lines(['ADDED', object('b', 12)], ['ADDED', object('c', 11)]), { reason: 'protocol' });
  t.same(Object.keys(d.held), ['ns/a', 'ns/b'], 'what came in order counts');
  t.end();
});

test('server errors inside a watch keep the revision', (t) => {
  const d = new Driver().watching();
  d.event('ADDED', object('a', 11));
  t.match(d.event('ERROR', { kind: 'Status', status: 'Failure', code: 500, message: 'etcd is away' }), {
    reason: 'server-error',
  });
  d.failed('server-error');
  t.match(d.recover(), { do: 'watch', revision: '11' });
  t.end();
});

test('a server that asks for patience gets it', (t) => {
  const d = new Driver().watching();
  const step = d.failed('throttled', { retryAfterMs: 7_000 });
  t.ok(step.do === 'wait' && step.delayMs >= 7_000);
  t.end();
});

test('the client moved to another URL: identified again, without a wait', (t) => {
  const d = new Driver().watching();
  t.same(d.failed('moved'), { do: 'identify' });
  t.equal(d.failures.length, 0);
  t.end();
});

test('a kind that is not served is none of it where it is optional, and asked for again', (t) => {
  const optional = new Driver({ optional: true });
  optional.identified();
  t.match(optional.failed('not-found'), { do: 'wait' });
  t.match(optional.batches, [{ cause: 'list', put: [], delete: [] }]);
  optional.recover();
  t.equal(optional.lines(['ADDED', object('a', 3)], ['BOOKMARK', endMark('9')]), undefined);
  t.same(optional.held, { 'ns/a': 1 });
  t.match(optional.batches.at(-1), { cause: 'relist', doubt: undefined });

  const needed = new Driver();
  needed.identified();
  needed.failed('not-found');
  t.equal(needed.batches.length, 0, 'not synced');
  t.end();
});

test('from a snapshot: handed over first, then listed in doubt', (t) => {
  const d = new Driver();
  const record = { name: 'a', value: 1 };
  d.core.restore([{ key: 'ns/a', revision: '1', record }], '10', 'c1');
  t.match(d.batches, [{ cause: 'snapshot', revision: '10', identity: 'c1' }]);
  t.equal(d.core.listed, false);
  d.traits.watchList = false;
  t.match(d.identified('c1', '12'), { do: 'list' });
  d.page('12', []);
  t.match(d.batches.at(-1), { cause: 'relist', doubt: 'broken-watch' });
  t.same(keys(d.batches.at(-1)?.delete), ['ns/a']);
  t.equal(d.core.listed, true);
  t.end();
});

test('a broken invariant is said, not survived', (t) => {
  t.throws(() => new Driver().tell({ result: 'waited' }), { code: 'WATCH_INVARIANT' });
  t.end();
});
