import { test } from 'tap';
import { FakeClock, nextTurn } from '@outrigger/core/clock';
import { createLogger } from '@outrigger/core/log';
import { defaultLimits } from '../../src/daemon/limits.ts';
import { readOwnSlots } from '../../src/topology/cluster-marks.ts';
import { uncounted } from '../../src/topology/metrics.ts';
import { Moves } from '../../src/topology/moves.ts';
import type { Giver } from '../../src/topology/moves.ts';
import { answeredBy } from '../../src/topology/replica.ts';
import { LiveShard } from '../../src/topology/shard.ts';
import { Topology } from '../../src/topology/topology.ts';
import { serverAt } from '../../src/upstream/server.ts';

const { slotMarksMs, movingHoldMs, pollIntervalMs } = defaultLimits;
const log = createLogger({ level: 'error', format: 'text', write: () => {}, wall: () => 0 });

/** A shard whose primary is `id` and whose replica `id`-r takes reads. */
function giver(id: string): Giver {
  const at = (host: string) => serverAt({ kind: 'tcp', host, port: 1 });
  const [primary, replica] = [at(id), at(`${id}-r`)];
  const shard: LiveShard = new LiveShard({
    name: id,
    topology: new Topology(() => 60_000),
    limits: defaultLimits,
    log,
    metrics: uncounted,
    events: { changed: () => {}, silent: () => {}, deposed: () => {} },
    now: () => 0,
    needRound: () => {},
    onClaim: () => {},
  });
  shard.place([primary, replica], { kind: 'named', name: primary.name, why: '' });
  for (const [{ name }, role] of [
    [primary, 'master'],
    [replica, 'slave'],
  ] as const) {
    const sample = { runId: name, role, replId: 'h', offset: 1, syncing: false };
    const round = shard.topology.beginRound();
    if (role === 'master') shard.heard(name, { kind: 'sample', sample, tookMs: 1 });
    shard.heardInRound(round, 0, primary.name, {
      kind: 'sample',
      tookMs: 1,
      sample: { ...sample, runId: primary.name, role: 'master' },
    });
    if (role === 'slave') shard.heard(name, { kind: 'sample', sample, tookMs: 1 });
  }
  return { shard, primary: { id } };
}

class World {
  readonly clock = new FakeClock();
  readonly givers = [giver('a'), giver('b')] as const;
  readonly asked: string[] = [];
  readonly marks = new Map<string, string>();
  lacking: string | undefined;
  lacks = 0;
  readonly moves = new Moves<Giver>({
    clock: this.clock,
    limits: defaultLimits,
    log,
    givers: () => this.givers,
    ask: async ({ address }) => {
      const name = address.kind === 'tcp' ? address.host : '';
      this.asked.push(name);
      const marks = this.marks.get(name) ?? '';
      if (marks === 'refused') throw new Error('NOPERM');
      return `${name} 10.0.0.1:1@2 myself,master - 0 0 1 connected 0-5${marks}\n`;
    },
    lacks: ({ shard }) => shard.name === this.lacking,
    onLack: () => void this.lacks++,
  });

  get moving(): string[] {
    return this.givers.filter(({ shard }) => shard.moving).map(({ shard }) => shard.name);
  }

  async passes(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= slotMarksMs) {
      await this.clock.advance(Math.min(left, slotMarksMs));
      await nextTurn();
    }
  }

  read(at: number): void {
    const [replica] = [...(this.givers[at]?.shard.topology.replicas ?? [])];
    if (replica !== undefined) answeredBy(replica, 1, this.clock.now());
  }
}

test('a node tells which slots it has, and which are on their way', (t) => {
  const others = 'f1 10.0.0.1:1@2 master - 0 0 1 connected 9 [9->-b7]\n';
  const own = 'a0 10.0.0.2:1@2,host myself,master - 0 0 3 connected 0-3 7 [3->-b7] [8-<-c9]';
  t.strictSame(readOwnSlots(`${others}${own}\n`), {
    ranges: [
      { first: 0, last: 3 },
      { first: 7, last: 7 },
    ],
    gives: true,
    takesFrom: ['c9'],
  });
  t.equal(readOwnSlots('a0 :1@2 myself,slave b7 0 0 3 connected\n'), undefined, 'it was one a moment ago');
  t.equal(readOwnSlots(others), undefined);
  t.end();
});

test('primaries whose replicas are read are asked often, the others as often as for their role', async (t) => {
  const world = new World();
  await world.moves.start();
  t.strictSame(world.asked.splice(0), ['a', 'b']);
  world.read(0);
  await world.passes(slotMarksMs);
  t.strictSame(world.asked.splice(0), ['a']);
  await world.passes(slotMarksMs);
  t.strictSame(world.asked.splice(0), [], 'nobody has read since');
  await world.passes(pollIntervalMs);
  t.strictSame(world.asked.splice(0).toSorted(), ['a', 'b']);
  world.moves.close();
  await world.passes(pollIntervalMs);
  t.strictSame(world.asked, []);
});

test('a shard is moving from the first mark on, and for a while after the last', async (t) => {
  const world = new World();
  await world.moves.start();
  world.marks.set('a', ' [3->-b]');
  world.read(0);
  await world.passes(slotMarksMs);
  t.strictSame(world.moving, ['a']);
  await world.passes(2 * movingHoldMs);
  t.strictSame(world.moving, ['a'], 'it still does');
  world.marks.clear();
  await world.passes(movingHoldMs - slotMarksMs);
  t.strictSame(world.moving, ['a'], 'the next slot may follow');
  await world.passes(2 * slotMarksMs);
  t.strictSame(world.moving, []);
});

test('an importing node, a redirection and slots that are gone are signs too', async (t) => {
  const world = new World();
  world.marks.set('b', ' [3-<-a]');
  await world.moves.start();
  t.strictSame(world.moving, ['a'], 'the one that gives, not the one that takes');
  world.moves.seen(world.givers[1]);
  t.strictSame(world.moving, ['a', 'b']);
  world.marks.clear();
  await world.passes(movingHoldMs + slotMarksMs);
  t.strictSame(world.moving, []);
  world.lacking = 'b';
  await world.passes(pollIntervalMs);
  t.strictSame(world.moving, ['b']);
  t.ok(world.lacks > 0, 'who has them is to be looked for');
});

test('a primary that does not tell is no sign', async (t) => {
  const world = new World();
  world.marks.set('a', 'refused');
  await world.moves.start();
  await world.passes(2 * pollIntervalMs);
  t.strictSame(world.moving, []);
  t.ok(world.asked.filter((name) => name === 'a').length > 1, 'it is asked again');
});
