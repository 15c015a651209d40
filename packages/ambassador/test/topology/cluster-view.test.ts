import { test } from 'tap';
import { matchShards } from '../../src/topology/cluster-match.ts';
import type { Before } from '../../src/topology/cluster-match.ts';
import { newestView, readClusterView } from '../../src/topology/cluster-view.ts';
import type { ClusterView, NodeGroup } from '../../src/topology/cluster-view.ts';
import { SlotTable } from '../../src/topology/slot-table.ts';

const info = 'cluster_enabled:1\r\ncluster_state:ok\r\ncluster_current_epoch:6\r\n';

test('CLUSTER SLOTS is read: groups of a primary, its replicas and all its ranges', async (t) => {
  const view = readClusterView(
    'asked:1',
    '10.0.0.9',
    [
      [0, 10, ['10.0.0.1', 7000, 'A'], ['10.0.0.2', 7001, 'B', []]],
      [20, 20, ['10.0.0.1', 7000, 'A'], ['10.0.0.2', 7001, 'B'], ['10.0.0.3', 7002, 'C']],
      [30, 40, ['fd00::1', 7000, 'D']],
      [50, 60],
    ],
    info,
  );
  t.strictSame(view, {
    node: 'asked:1',
    ok: true,
    epoch: 6,
    groups: [
      {
        primary: { id: 'A', name: '10.0.0.1:7000' },
        replicas: [
          { id: 'B', name: '10.0.0.2:7001' },
          { id: 'C', name: '10.0.0.3:7002' },
        ],
        ranges: [
          { first: 0, last: 10 },
          { first: 20, last: 20 },
        ],
      },
      { primary: { id: 'D', name: '[fd00::1]:7000' }, replicas: [], ranges: [{ first: 30, last: 40 }] },
    ],
  });
  t.match(readClusterView('x', 'h', [], 'cluster_state:fail\r\n'), { ok: false, epoch: 0, groups: [] });
});

test('a node without an address is where it was asked, or at the address it knows', async (t) => {
  const name = (...node: unknown[]): string | undefined =>
    readClusterView('asked', '10.0.0.9', [[0, 1, node]], info).groups[0]?.primary.name;
  t.equal(name(null, 7000, 'A'), '10.0.0.9:7000');
  t.equal(name('', 7000, 'A'), '10.0.0.9:7000');
  t.equal(name('?', 7000, 'A', ['ip', '10.0.0.4']), '10.0.0.4:7000');
  t.equal(name('?', 7000, 'A', []), '10.0.0.9:7000');
  t.equal(name('node-1.example', 7000, 'A', ['ip', '10.0.0.4']), 'node-1.example:7000');
  const old = readClusterView('asked', 'h', [[0, 1, ['10.0.0.1', 7000]]], info);
  t.equal(old.groups[0]?.primary.id, '10.0.0.1:7000', 'before Redis 4 there are no ids');
});

test('the newest view counts, and one of a node that finds its cluster down only for want of others', async (t) => {
  const view = (node: string, epoch: number, ok = true): ClusterView => ({ node, epoch, ok, groups: [] });
  t.equal(newestView([]), undefined);
  t.equal(newestView([view('a', 1), view('b', 2)])?.node, 'b');
  t.equal(newestView([view('a', 2), view('b', 2)])?.node, 'a', 'the first of equals');
  t.equal(newestView([view('a', 9, false), view('b', 2)])?.node, 'b');
  t.equal(newestView([view('b', 2), view('a', 9, false)])?.node, 'b');
  t.equal(newestView([view('a', 1, false), view('b', 2, false)])?.node, 'b');
});

const group = (primary: string, replicas: string[] = [], first = 0): NodeGroup => ({
  primary: { id: primary, name: `${primary}:1` },
  replicas: replicas.map((id) => ({ id, name: `${id}:1` })),
  ranges: [{ first, last: first }],
});
const shard = (primary: string, nodes: string[], slots = 0): Before => ({
  primary: { id: primary, name: `${primary}:1` },
  nodes: new Set(nodes),
  slotsIn: () => slots,
});

test('a shard goes on: with its primary, its replica, its old primary as a replica, or its slots', async (t) => {
  const continues = (before: Before, next: NodeGroup): boolean =>
    matchShards([before], [next]).get(next) === before;
  t.ok(continues(shard('A', ['A', 'B']), group('A')));
  t.notOk(continues(shard('A:1', ['A:1']), group('A')));
  const redirected: Before = { ...shard('?', ['?']), primary: { id: 'A:1', name: 'A:1' } };
  t.ok(continues(redirected, group('A')), 'known by its address alone');
  t.ok(continues(shard('A', ['A', 'B']), group('B', ['C'])));
  t.ok(continues(shard('A', ['A']), group('N', ['A'])));
  t.ok(continues(shard('A', ['A'], 1), group('N')));
  t.notOk(continues(shard('A', ['A']), group('N')));
});

test('no two shards go on as one, and the nearest claim wins', async (t) => {
  const a = shard('A', ['A', 'B'], 1);
  const b = shard('B', ['B', 'A'], 1);
  const [toA, toB, fresh] = [group('A', ['B']), group('B'), group('N')];
  const pairs = matchShards([a, b], [toB, fresh, toA]);
  t.equal(pairs.get(toA), a);
  t.equal(pairs.get(toB), b);
  t.equal(pairs.get(fresh), undefined);
});

test('slots: who serves them, ranges and moves', async (t) => {
  const table = new SlotTable<string>();
  t.equal(table.get(0), undefined);
  t.equal(table.unserved, 16_384);
  table.replace([['a', [{ first: 0, last: 99 }, { first: 200, last: 16_383 }]], ['b', [{ first: 100, last: 198 }]]]); // prettier-ignore
  t.strictSame(
    [table.get(99), table.get(100), table.get(199), table.get(16_383)],
    ['a', 'b', undefined, 'a'],
  );
  t.equal(table.unserved, 1);
  table.set(199, 'c');
  t.equal(table.unserved, 0);
  table.set(50, 'b');
  t.strictSame(table.rangesOf('b'), [
    { first: 50, last: 50 },
    { first: 100, last: 198 },
  ]);
  t.strictSame(table.rangesOf('c'), [{ first: 199, last: 199 }]);
  t.strictSame(table.rangesOf('d'), []);
  t.equal(table.overlap('b', [{ first: 40, last: 110 }]), 12);
  t.equal(table.overlap('d', [{ first: 0, last: 1 }]), 0);
  t.equal(table.get(-1), undefined);
  table.replace([['c', [{ first: 0, last: 0 }]]]);
  t.strictSame([table.get(0), table.get(1), table.unserved], ['c', undefined, 16_383]);
});
