import { test } from 'tap';
import type { Entry } from '../../src/cache/entry.ts';
import { outcomeOf } from '../../src/watch/selection.ts';

const entry = (revision: number, inside: boolean): Entry => ({
  path: 'a',
  namespace: '',
  name: 'a',
  value: Buffer.alloc(0),
  revision,
  createRevision: 1,
  labels: inside ? { in: '' } : {},
  fields: {},
});
const selection = { id: 'in', matches: ({ labels }: Entry) => 'in' in labels };
const put = (before: boolean | undefined, after: boolean) =>
  outcomeOf(
    {
      type: 'put',
      revision: 2,
      entry: entry(2, after),
      previous: before === undefined ? undefined : entry(1, before),
    },
    selection,
  );

test('what a change means depends on where the object was and is', (t) => {
  t.equal(put(undefined, false), undefined);
  t.equal(put(undefined, true)?.type, 'ADDED');
  t.equal(put(false, false), undefined);
  t.equal(put(false, true)?.type, 'ADDED');
  t.equal(put(true, true)?.type, 'MODIFIED');
  t.match(put(true, false), { type: 'DELETED', entry: { revision: 2, labels: { in: '' } } });
  const removed = (inside: boolean) =>
    outcomeOf(
      { type: 'delete', revision: 3, entry: entry(3, inside), previous: entry(2, inside) },
      selection,
    );
  t.match(removed(true), { type: 'DELETED', entry: { revision: 3 } });
  t.equal(removed(false), undefined);
  t.end();
});
