import { test } from 'tap';
import { createLogger } from '@outrigger/core/log';
import { contradicted, LiveShard } from '../../src/topology/shard.ts';
import { defaultTopologyLimits } from '../../src/topology/limits.ts';
import type { Heard } from '../../src/topology/link.ts';
import { uncounted } from '../../src/topology/metrics.ts';
import type { Belief } from '../../src/topology/roles.ts';
import { Topology } from '../../src/topology/topology.ts';
import type { Replica, Sample } from '../../src/topology/topology.ts';
import { serverAt } from '../../src/upstream/server.ts';
import type { Server } from '../../src/upstream/server.ts';

const at = (host: string): Server => serverAt({ kind: 'tcp', host, port: 1 });
const [a, b, c] = [at('a'), at('b'), at('c')];
const named = (server: Server): Belief => ({ kind: 'named', name: server.name, why: '' });

const sample = (role: 'master' | 'slave', state: Partial<Sample> = {}): Heard => ({
  kind: 'sample',
  tookMs: 1,
  sample: { runId: `run-${role}`, role, replId: 'h1', offset: 10, syncing: false, ...state },
});
const gone: Heard = { kind: 'gone', why: 'ECONNREFUSED' };
const silent: Heard = { kind: 'silent', why: 'it did not answer within 1000 ms' };

interface World {
  readonly shard: LiveShard;
  /** What was told, with the primary as it was offered then. */
  readonly told: string[];
  /** For each that was deposed, whether it had said itself that it is a replica. */
  readonly yielding: boolean[];
  readonly rounds: { wanted: number };
  readonly claims: string[];
  readonly lines: string[];
  /** Move it on by hand. */
  readonly time: { ms: number };
}

function world(maxLagMs = 10_000): World {
  const told: string[] = [];
  const yielding: boolean[] = [];
  const claims: string[] = [];
  const lines: string[] = [];
  const rounds = { wanted: 0 };
  const time = { ms: 0 };
  const offered = (): string => shard.primary?.name ?? 'none';
  const shard = new LiveShard({
    name: 's',
    topology: new Topology(() => maxLagMs, { now: () => time.ms }),
    limits: { ...defaultTopologyLimits, primarySilenceMs: 6000 },
    log: createLogger({
      level: 'debug',
      format: 'text',
      write: (line) => void lines.push(line),
      wall: () => 0,
    }),
    metrics: uncounted,
    events: {
      changed: () => {},
      silent: (name) => told.push(`silent ${name}`),
      deposed: (name, answers) => {
        told.push(`deposed ${name}, offered ${offered()}${shard.checking ? ', another at once' : ''}`);
        yielding.push(answers);
      },
    },
    now: () => time.ms,
    needRound: () => rounds.wanted++,
    onClaim: (name) => claims.push(name),
  });
  return { shard, told, yielding, rounds, claims, lines, time };
}

/** `a` leads, `b` and `c` follow and have proven it. */
function led(maxLagMs?: number): World {
  const w = world(maxLagMs);
  w.shard.place([a, b, c], named(a));
  w.shard.heard(a.name, sample('master', { runId: 'ra' }));
  round(w);
  w.shard.heard(b.name, sample('slave', { runId: 'rb' }));
  w.shard.heard(c.name, sample('slave', { runId: 'rc' }));
  return w;
}

function round(w: World, state: Partial<Sample> = {}): void {
  const number = w.shard.topology.beginRound();
  const primary = w.shard.questions().primary as Server;
  w.shard.heardInRound(
    number,
    w.time.ms,
    primary.name,
    sample('master', { runId: `r${primary.name[0]}`, ...state }),
  );
}

const replica = (w: World, server: Server): Replica =>
  [...w.shard.topology.replicas].find(({ name }) => name === server.name) as Replica;

test('nobody is offered before he says it himself', async (t) => {
  const w = world();
  w.shard.place([a, b], named(a));
  t.equal(w.shard.primary, undefined);
  t.equal(w.shard.why, 'a:1: not yet asked');
  t.strictSame(w.shard.questions(), { primary: undefined, others: [a, b] });
  w.shard.heard(a.name, sample('slave', { follows: 'x:1' }));
  t.equal(w.shard.why, 'a:1 says it is a replica of x:1');
  w.shard.heard(a.name, sample('master'));
  t.equal(w.shard.primary, a);
  t.equal(w.shard.why, '');
  t.equal(w.shard.absentMs(5), undefined);
  t.strictSame(w.shard.questions(), { primary: a, others: [b] });
  t.equal(w.shard.server('x'), undefined);
});

test('the old primary is deposed, with nobody offered, before the new one is', async (t) => {
  const w = led();
  w.shard.place([a, b, c], named(b));
  t.strictSame(w.told, ['deposed a:1, offered none']);
  t.equal(w.shard.primary, undefined, 'b has not said so yet');
  w.shard.heard(b.name, sample('master', { runId: 'rb', replId: 'h2', previousReplId: 'h1' }));
  t.equal(w.shard.primary, b);
  t.equal(w.shard.topology.breaks, 0);
  w.shard.heard(a.name, sample('master', { runId: 'ra' }));
  t.equal(w.shard.primary, b, 'what a claims changes nothing');
  t.equal(replica(w, a).why, 'it says it is a primary, not a replica');
});

test('a primary whose successor is known already is followed by it at once', async (t) => {
  const w = led();
  w.shard.place([a, b, c], { kind: 'configured', name: a.name, why: '' });
  w.shard.heard(b.name, sample('master', { runId: 'rb', replId: 'h2', previousReplId: 'h1' }));
  w.shard.heard(a.name, sample('slave', { runId: 'ra' }));
  t.strictSame(w.told, ['deposed a:1, offered none, another at once']);
  t.equal(w.shard.primary, b);
  t.equal(w.shard.checking, false);
});

test('a primary that closes its connection is deposed at once; one that is silent is given time', async (t) => {
  const w = led();
  w.shard.heard(a.name, gone);
  t.strictSame(w.told, ['silent a:1', 'deposed a:1, offered none']);
  const slow = led();
  slow.shard.heard(a.name, silent);
  slow.shard.tick();
  t.equal(slow.shard.primary, a);
  t.strictSame(slow.told, ['silent a:1']);
  slow.time.ms = 5999;
  slow.shard.tick();
  t.equal(slow.shard.primary, a);
  slow.time.ms = 6000;
  slow.shard.tick();
  t.equal(slow.shard.primary, undefined);
  t.equal(slow.shard.why, 'a:1: it did not answer within 1000 ms');
  t.equal(slow.shard.absentMs(7000), 1000);
  slow.shard.heard(a.name, sample('master', { runId: 'ra' }));
  t.equal(slow.shard.primary, a);
});

test('another process behind the same address is another primary', async (t) => {
  const w = led();
  round(w, { runId: 'new' });
  t.strictSame(w.told, ['deposed a:1, offered none, another at once']);
  t.equal(w.shard.checking, false);
  t.equal(w.shard.primary, a);
  t.equal(w.shard.topology.primary.runId, 'new');
  t.ok(w.shard.topology.succeeded('ra'));
});

test('a primary that contradicts its role gets nothing until it has been asked', async (t) => {
  const w = led();
  const { wanted } = w.rounds;
  w.shard.suspect(b.name, contradicted);
  t.equal(w.shard.primary, a, 'a replica may say so');
  w.shard.suspect(a.name, contradicted);
  w.shard.suspect(a.name, contradicted);
  t.equal(w.shard.primary, undefined);
  t.match(w.shard.why, /contradicted/);
  t.equal(w.rounds.wanted, wanted + 1);
  round(w);
  t.equal(w.shard.primary, a);
  t.strictSame(w.told, [], 'it was a false alarm: nobody lost anything');
  w.shard.suspect(a.name, contradicted);
  w.shard.heard(a.name, sample('slave', { runId: 'ra' }));
  t.strictSame(w.told, ['deposed a:1, offered none']);
});

test('one that has yielded the role still answers; one that is replaced, restarted or gone is not waited for', async (t) => {
  const after = (change: (w: World) => void): boolean[] => {
    const w = led();
    change(w);
    return w.yielding;
  };
  const slave = (runId: string) => (w: World) => w.shard.heard(a.name, sample('slave', { runId }));
  t.strictSame(after(slave('ra')), [true]);
  t.strictSame(after(slave('other')), [false]);
  t.strictSame(
    after((w) => w.shard.place([a, b, c], named(b))),
    [false],
  );
  t.strictSame(
    after((w) => w.shard.heard(a.name, gone)),
    [false],
  );
});

test('a connection that is closed is no death: who it was is asked first', async (t) => {
  const w = led();
  w.shard.ended(a.name);
  t.equal(w.shard.primary, undefined);
  t.equal(w.shard.why, 'a:1 has closed its connection: it is being asked');
  t.equal(w.shard.checking, true);
  w.shard.heard(a.name, sample('master', { runId: 'ra' }));
  t.equal(w.shard.primary, a);
  t.strictSame(w.told, []);
  w.shard.ended(a.name);
  w.shard.heard(a.name, gone);
  t.strictSame(w.told, ['silent a:1', 'deposed a:1, offered none']);
  t.equal(w.shard.checking, false);
  w.shard.ended(b.name);
  t.match(replica(w, b), { eligible: false, why: 'it closed its connection' });
});

test('replicas go on reading through an election, until max-lag', async (t) => {
  const w = led();
  w.shard.heard(a.name, gone);
  const cut = { runId: 'rb', linkDown: true };
  w.shard.heard(b.name, sample('slave', cut));
  t.equal(replica(w, b).eligible, true, 'nothing happens that it could miss');
  w.time.ms = 10_001;
  w.shard.tick();
  t.match(replica(w, b).why, /^lag 10s is above/);
  w.shard.heard(a.name, sample('master', { runId: 'ra' }));
  round(w);
  w.shard.heard(b.name, sample('slave', cut));
  t.equal(replica(w, b).why, 'its link to the primary is down');
  w.shard.heard(b.name, sample('slave', { runId: 'rb', loading: true }));
  t.equal(replica(w, b).why, 'it is loading its data');
});

test('who claims the role while there is no primary is a hint, no more', async (t) => {
  const w = led();
  w.shard.heard(b.name, sample('master', { runId: 'rb' }));
  t.strictSame(w.claims, [], 'there is a primary');
  w.shard.heard(a.name, gone);
  t.ok(w.claims.includes(b.name));
  t.equal(w.shard.primary, undefined);
});

test('servers that leave are gone, and those that stay keep what is known', async (t) => {
  const w = led();
  const before = replica(w, b);
  const moved = { ...b, zone: 'z1' };
  w.shard.place([a, moved], named(a));
  t.equal(w.shard.primary, a);
  t.equal(replica(w, b), before);
  t.match(before, { eligible: true, zone: 'z1' });
  t.equal(w.shard.server(c.name), undefined);
  w.shard.heard(c.name, sample('slave'));
  w.shard.place([b], named(b));
  t.strictSame(w.told, ['deposed a:1, offered none']);
  w.shard.close();
  t.equal(w.shard.primary, undefined);
  t.strictSame(w.shard.servers, []);
});

test('an answer of a round whose primary has been replaced proves nothing', async (t) => {
  const w = led();
  const number = w.shard.topology.beginRound();
  w.shard.place([a, b, c], named(b));
  w.shard.heard(b.name, sample('master', { runId: 'rb', replId: 'h2', previousReplId: 'h1' }));
  w.shard.heardInRound(number, 0, a.name, sample('master', { runId: 'ra' }));
  w.shard.heard(c.name, sample('slave', { runId: 'rc', replId: 'h2', previousReplId: 'h1' }));
  t.match(replica(w, c), { eligible: false, covered: 0 });
  round(w, { replId: 'h2', previousReplId: 'h1' });
  w.shard.heard(c.name, sample('slave', { runId: 'rc', replId: 'h2', previousReplId: 'h1' }));
  t.match(replica(w, c), { eligible: true });
});

test('a server that says it is busy is no reason for another primary, however long it is', async (t) => {
  const w = led();
  w.told.length = 0;
  for (const atMs of [0, 10_000, 20_000]) {
    w.time.ms = atMs;
    w.shard.heard(a.name, { kind: 'busy', why: 'BUSY a script' });
    w.shard.tick();
  }
  t.equal(w.shard.primary, a);
  w.shard.heard(b.name, { kind: 'busy', why: 'BUSY a script' });
  t.match(replica(w, b), { eligible: false, why: 'BUSY a script' });
  t.strictSame(w.told, [], 'what it runs is waited for');
});

test('latency is measured by questions where nobody reads, and zones come from the server itself too', async (t) => {
  const w = led();
  t.equal(replica(w, b).ewmaMs, 1);
  replica(w, b).outstanding = 1;
  w.shard.heard(b.name, { ...sample('slave', { runId: 'rb', zone: 'z9' }), tookMs: 500 } as Heard);
  t.equal(replica(w, b).ewmaMs, 1);
  t.equal(replica(w, b).zone, 'z9');
});

test('what changes is logged once', async (t) => {
  const w = led();
  w.shard.heard(b.name, gone);
  w.shard.heard(b.name, gone);
  t.strictSame(w.told, ['silent b:1']);
  w.shard.heard(b.name, sample('slave', { runId: 'rb' }));
  const count = (text: RegExp): number => w.lines.filter((line) => text.test(line)).length;
  t.equal(count(/replica takes no reads/), 1);
  t.equal(count(/replica takes reads/), 3);
  t.equal(count(/primary is up/), 1);
});
