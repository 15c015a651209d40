import { test } from 'tap';
import { FakeClock, nextTurn } from '@outrigger/core/clock';
import { createLogger } from '@outrigger/core/log';
import { defaultLimits } from '../../src/daemon/limits.ts';
import { defaultTopologyLimits } from '../../src/topology/limits.ts';
import type { Heard } from '../../src/topology/link.ts';
import { uncounted } from '../../src/topology/metrics.ts';
import { Rounds } from '../../src/topology/rounds.ts';
import { LiveShard } from '../../src/topology/shard.ts';
import { Topology } from '../../src/topology/topology.ts';
import type { Server } from '../../src/upstream/server.ts';
import { serverAt } from '../../src/upstream/server.ts';

const at = (host: string): Server => serverAt({ kind: 'tcp', host, port: 1 });
const [a, b] = [at('a'), at('b')];

class World {
  readonly clock = new FakeClock();
  readonly asked: string[] = [];
  readonly answers = new Map<string, Heard>();
  /** Servers that answer only when released. */
  readonly held = new Map<string, () => void>();
  readonly holding = new Set<string>();
  readonly shard: LiveShard;
  readonly rounds: Rounds;

  constructor() {
    const { clock } = this;
    const log = createLogger({ level: 'error', format: 'text', write: () => {}, wall: () => 0 });
    const limits = { ...defaultLimits, ...defaultTopologyLimits };
    this.shard = new LiveShard({
      name: 's',
      topology: new Topology(() => 10_000),
      limits,
      log,
      metrics: uncounted,
      events: { changed: () => {}, silent: () => {}, deposed: () => {} },
      now: () => clock.now(),
      needRound: () => this.rounds.demand(),
      onClaim: () => {},
    });
    this.rounds = new Rounds({
      shard: this.shard,
      clock,
      limits,
      maxLagMs: () => 10_000,
      log,
      metrics: uncounted,
      ask: (server) => this.#ask(server),
    });
    this.says(a, 'master');
    this.says(b, 'slave');
    this.shard.place([a, b], { kind: 'named', name: a.name, why: '' });
  }

  says(server: Server, role: 'master' | 'slave'): void {
    const sample = { runId: `run-${server.name}`, role, replId: 'h', offset: 1, syncing: false };
    this.answers.set(server.name, { kind: 'sample', tookMs: 1, sample });
  }

  async #ask(server: Server): Promise<Heard> {
    this.asked.push(server.name);
    if (this.holding.has(server.name)) {
      await new Promise<void>((resolve) => this.held.set(server.name, resolve));
    }
    return this.answers.get(server.name) as Heard;
  }
}

test('start asks everybody, then begins with a round: the primary first', async (t) => {
  const w = new World();
  await w.rounds.start();
  t.strictSame(w.asked, ['a:1', 'b:1', 'a:1', 'b:1']);
  t.equal(w.shard.primary, a);
  t.equal([...w.shard.topology.replicas][0]?.eligible, true);
  w.rounds.close();
  t.equal(w.clock.pending, 0);
});

test('the replicas are asked after the primary has answered', async (t) => {
  const w = new World();
  await w.rounds.start();
  await w.clock.advance(20);
  w.asked.length = 0;
  w.holding.add(a.name);
  w.rounds.demand();
  await w.clock.advance(20);
  t.strictSame(w.asked, ['a:1']);
  w.held.get(a.name)?.();
  await nextTurn();
  t.strictSame(w.asked, ['a:1', 'b:1']);
});

test('rounds come by themselves, and sooner on demand, but never closer than their spacing', async (t) => {
  const w = new World();
  await w.rounds.start();
  await w.clock.advance(100);
  w.asked.length = 0;
  await w.clock.advance(1000);
  t.strictSame(w.asked, ['a:1', 'b:1']);
  w.asked.length = 0;
  for (let i = 0; i < 20; i++) {
    w.rounds.demand();
    await w.clock.advance(1);
  }
  t.ok(w.asked.length <= 6, `${w.asked.length} questions in 20 ms`);
});

test('without a primary everybody is asked often, then less often, and a slow server holds nobody up', async (t) => {
  const w = new World();
  await w.rounds.start();
  w.holding.add(a.name);
  w.rounds.demand();
  await w.clock.advance(20);
  w.shard.place([a, b], { kind: 'named', name: b.name, why: '' });
  w.asked.length = 0;
  await w.clock.advance(100);
  const early = w.asked.filter((name) => name === b.name).length;
  t.ok(early >= 3 && early <= 6, `${early} questions in 100 ms`);
  await w.clock.advance(20_000);
  w.asked.length = 0;
  await w.clock.advance(1000);
  t.equal(w.asked.filter((name) => name === b.name).length, 5);
  w.says(b, 'master');
  await w.clock.advance(200);
  t.equal(w.shard.primary, b);
});

test('asked while its answer is out, a server is asked once more', async (t) => {
  const w = new World();
  await w.rounds.start();
  await w.clock.advance(20);
  w.holding.add(b.name);
  w.asked.length = 0;
  for (let i = 0; i < 5; i++) {
    w.rounds.demand();
    await w.clock.advance(15);
  }
  t.equal(w.asked.filter((name) => name === b.name).length, 1);
  w.holding.clear();
  w.held.get(b.name)?.();
  await nextTurn();
  t.equal(w.asked.filter((name) => name === b.name).length, 2);
  w.rounds.close();
});
