import { ShrinkHold } from '@outrigger/core/watch';
import { test } from 'tap';
import type { SliceEndpointRecord, SliceRecord } from '../../src/catalog/index.ts';
import { endpointHold } from '../../src/daemon/feed.ts';

function slice(endpoints: Readonly<Record<string, boolean>>): SliceRecord {
  return {
    namespace: 'default',
    name: 'web-1',
    service: 'default/web',
    family: 'IPv4',
    ports: [],
    endpoints: Object.entries(endpoints).map(
      ([address, ready]) => ({ address, ready }) as SliceEndpointRecord,
    ),
    changedAtMs: 0,
  };
}

test('endpoints that a list after a lost watch calls not ready stay ready, each once', (t) => {
  const hold = new ShrinkHold(endpointHold, 30_000);
  const batch = { delete: [], revision: '1', identity: 'c' } as const;
  const put = (record: SliceRecord) => [{ key: 'default/web-1', revision: '1', record }];
  hold.apply(
    { ...batch, put: put(slice({ a: true, b: true, c: true })), cause: 'list', doubt: undefined },
    0,
  );
  const seen = hold.apply(
    { ...batch, put: put(slice({ a: false, b: false, d: true })), cause: 'relist', doubt: 'broken-watch' },
    0,
  );
  const endpoints = seen.put[0]?.record.endpoints.map(({ address, ready }) => `${address} ${ready}`);
  t.same(endpoints?.toSorted(), ['a true', 'b true', 'c true', 'd true']);
  const after = hold
    .expire(30_000)
    ?.put[0]?.record.endpoints.map(({ address, ready }) => `${address} ${ready}`);
  t.same(after?.toSorted(), ['a false', 'b false', 'd true']);
  t.end();
});
