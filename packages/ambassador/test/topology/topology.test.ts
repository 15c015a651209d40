import { test } from 'tap';
import { ReadPath } from '../../src/observe/names.ts';
import { ReadGuard } from '../../src/topology/guard.ts';
import { readSample } from '../../src/topology/info.ts';
import { Topology } from '../../src/topology/topology.ts';
import type { Replica, Sample } from '../../src/topology/topology.ts';

const master = (offset: number, runId = 'p1', replId = 'h1'): Sample => ({ runId, role: 'master', replId, offset, syncing: false }); // prettier-ignore
const slave = (offset: number, runId = 'a1', replId = 'h1'): Sample => ({ runId, role: 'slave', replId, offset, syncing: false }); // prettier-ignore

function topology(maxLagMs = 1000): {
  known: Topology;
  a: Replica;
  round: (sample: Sample, at: number) => number;
} {
  const known = new Topology(() => maxLagMs);
  known.setServers('p', ['a']);
  const [a] = [...known.replicas] as [Replica];
  const round = (sample: Sample, at: number): number => {
    const number = known.beginRound();
    known.primaryAnswered(number, at, sample);
    return number;
  };
  return { known, a, round };
}

test('a replica covers the newest round whose offset it has applied', async (t) => {
  const { known, a, round } = topology();
  known.replicaAnswered('a', slave(100), 0);
  t.match(a, { eligible: false, covered: 0, why: 'it has not caught up with the primary yet' });
  const first = round(master(100), 10);
  const second = round(master(200), 20);
  known.replicaAnswered('a', slave(150), 30);
  t.match(a, { eligible: true, covered: first });
  t.equal(known.lagMs(a, 30), 20);
  known.replicaAnswered('a', slave(200), 40);
  t.match(a, { eligible: true, covered: second });
  t.equal(known.lagMs(a, 40), 20);
});

test('too old, loading, gone, or not a replica: no reads, and it says why', async (t) => {
  const { known, a, round } = topology();
  round(master(100), 0);
  known.replicaAnswered('a', slave(100), 0);
  known.judgeLag(1000);
  t.equal(a.eligible, true);
  known.judgeLag(1001);
  t.match(a, { eligible: false, why: 'lag 1s is above max-lag 1s' });
  t.strictSame(known.exclusions(), { a: 'lag 1s is above max-lag 1s' });
  round(master(100), 2000);
  known.replicaAnswered('a', { ...slave(100), syncing: true }, 2000);
  t.match(a, { eligible: false, why: /full copy/ });
  known.replicaAnswered('a', { ...slave(100), role: 'master' }, 2000);
  t.match(a, { eligible: false, why: /says it is a primary/ });
  known.replicaLost('a', 'ECONNREFUSED');
  t.match(a, { eligible: false, reachable: false, why: 'ECONNREFUSED' });
  known.replicaAnswered('a', slave(100), 2000);
  t.match(a, { eligible: true, reachable: true, why: '' });
  known.replicaFailed(a, 'ECONNRESET');
  t.match(a, { eligible: false, reachable: true, why: 'ECONNRESET' });
  known.setZone('a', 'z1');
  known.setZone('a', undefined);
  t.equal(a.zone, 'z1');
});

test('proofs are about one process following one history', async (t) => {
  const { known, a, round } = topology();
  round(master(100), 0);
  known.replicaAnswered('a', slave(100), 0);
  t.equal(a.covered, 1);
  known.replicaAnswered('a', slave(50, 'a2'), 0);
  t.match(a, { covered: 0, eligible: false }, 'another process has proven nothing');
  known.replicaAnswered('a', slave(900, 'a2', 'elsewhere'), 0);
  t.match(a, { covered: 0, eligible: false, why: /another replication id/ });
  known.replicaAnswered('a', slave(100, 'a2'), 0);
  t.equal(a.covered, 1);
  round(master(10, 'p2', 'h2'), 5);
  t.equal(a.covered, 0, 'a restarted primary may have less: everything is proven anew');
  known.replicaAnswered('a', slave(10, 'a2', 'h2'), 5);
  t.match(a, { covered: 2, eligible: true });
});

test('servers that stay keep what is known of them', async (t) => {
  const { known, a, round } = topology();
  round(master(1), 0);
  known.replicaAnswered('a', slave(1), 0);
  known.setServers('p', ['a', 'b']);
  t.match([...known.replicas], [{ name: 'a', eligible: true }, { name: 'b', eligible: false, why: 'not yet asked' }]); // prettier-ignore
  known.setServers('p', ['b']);
  t.match(a, { eligible: false, why: 'no longer configured' });
  known.replicaAnswered('a', slave(2), 0);
  known.replicaLost('a', 'x');
  t.equal(a.why, 'no longer configured', 'what still comes from it changes nothing');
  known.setServers('q', ['b']);
  t.match(known.primary, { name: 'q', why: 'not yet asked', runId: undefined });
});

test('sessions spread over the replicas', async (t) => {
  const known = new Topology(() => 1000);
  known.setServers('p', ['a', 'b']);
  known.primaryAnswered(known.beginRound(), 0, master(1));
  known.replicaAnswered('a', slave(1, 'a1'), 0);
  known.replicaAnswered('b', slave(1, 'b1'), 0);
  const [a, b] = [...known.replicas] as [Replica, Replica];
  a.sessions = 1;
  t.equal(
    known.choose(() => true),
    b,
  );
  t.equal(known.choose((replica) => replica !== b), a); // prettier-ignore
  b.sessions = 2;
  t.equal(
    known.choose(() => true),
    a,
  );
});

test('the guard: a replica must have what anybody else has shown', async (t) => {
  const { known, a, round } = topology();
  round(master(1), 0);
  known.replicaAnswered('a', slave(1), 0);
  const guard = new ReadGuard(known);
  t.ok(guard.allows(a), 'who has seen nothing may read anywhere');
  t.strictSame([guard.fence, guard.pathTo(a)], [-1, ReadPath.first]);
  guard.answered('p1', true);
  t.notOk(guard.allows(a), 'the round before the answer proves nothing');
  round(master(1), 1);
  known.replicaAnswered('a', slave(0), 1);
  t.notOk(guard.allows(a), 'nor does a round the replica has not reached');
  known.replicaAnswered('a', slave(1), 1);
  t.ok(guard.allows(a));
  t.strictSame([guard.fence, guard.pathTo(a)], [1, ReadPath.proven]);
  guard.answered('a1', false);
  t.equal(guard.pathTo(a), ReadPath.home);
  round(master(5), 2);
  t.ok(guard.allows(a), 'its own answers need no proof');
  const elsewhere = new ReadGuard(known);
  elsewhere.answered('p0', true);
  round(master(5), 3);
  known.replicaAnswered('a', slave(5), 3);
  t.notOk(elsewhere.allows(a), 'rounds asked another process than the one that answered');
  const unknown = new ReadGuard(known);
  unknown.answered('', true);
  t.notOk(unknown.allows(a), 'a primary that does not tell who it is');
});

test("the guard: a process whose data was replaced is nobody's home any more", async (t) => {
  const { known, a, round } = topology();
  round(master(1), 0);
  known.replicaAnswered('a', slave(1), 0);
  const guard = new ReadGuard(known);
  guard.answered('a1', false);
  const promoted = { ...master(1, 'p2', 'h2'), previousReplId: 'h1' };
  round(promoted, 1);
  known.replicaAnswered('a', { ...slave(1, 'a1', 'h2'), previousReplId: 'h1' }, 1);
  t.equal(known.breaks, 0);
  t.ok(guard.allows(a), 'a partial resynchronisation goes on where it was');
  round(master(1, 'p3', 'h3'), 2);
  known.replicaAnswered('a', slave(1, 'a1', 'h3'), 2);
  t.equal(known.breaks, 1);
  guard.answered('a1', false);
  t.ok(guard.allows(a), 'what it showed since then counts');
  known.replicaAnswered('a', slave(1, 'a1', 'h4'), 2);
  t.notOk(guard.allows(a), 'a full copy of another history');
  round(master(1, 'p4', 'h4'), 3);
  known.replicaAnswered('a', slave(1, 'a1', 'h4'), 3);
  t.ok(guard.allows(a), 'which it has to prove');
});

test("the guard: after a failover the new primary's rounds are proof", async (t) => {
  const { known, a, round } = topology();
  round(master(1), 0);
  const guard = new ReadGuard(known);
  guard.answered('p1', true);
  known.setServers('q', ['a']);
  known.replicaAnswered('a', slave(9), 1);
  t.notOk(guard.allows(a), 'nobody is the primary yet');
  round(master(9, 'q1', 'h2'), 2);
  known.replicaAnswered('a', slave(9, 'a1', 'h2'), 2);
  t.ok(guard.allows(a));
  const stranger = new ReadGuard(known);
  stranger.answered('x1', true);
  round(master(9, 'q1', 'h2'), 3);
  known.replicaAnswered('a', slave(9, 'a1', 'h2'), 3);
  t.notOk(stranger.allows(a), 'a process that was never the primary here');
});

test('the past is bounded', async (t) => {
  const { known, round } = topology();
  for (let i = 0; i < 200; i++) round(master(1, `p${i}`, `h${i}`), i);
  t.notOk(known.succeeded('p0'));
  t.ok(known.succeeded('p198'));
  t.notOk(known.succeeded('p199'), 'it is the primary');
});

test('a replica that answers the poller and fails commands is ejected', async (t) => {
  let now = 0;
  const ejected: string[] = [];
  const known = new Topology(() => 100_000, { now: () => now, onEjected: ({ name }) => ejected.push(name) });
  known.setServers('p', ['a']);
  const [a] = [...known.replicas] as [Replica];
  const poll = (): void => {
    known.primaryAnswered(known.beginRound(), now, master(1));
    known.replicaAnswered('a', slave(1), now);
  };
  poll();
  for (let i = 0; i < 3; i++) {
    known.replicaFailed(a, 'ECONNRESET');
    known.replicaFailed(a, 'of the same moment');
    t.match(a, { eligible: false, failures: i + 1 });
    poll();
  }
  t.strictSame(ejected, ['a']);
  t.match(a, { eligible: false, why: 'it failed 3 commands in a row' });
  now = 1000;
  poll();
  t.equal(a.eligible, true);
  a.failures = 0;
  known.setServers('p', []);
  known.replicaFailed(a, 'too late');
  t.match(a, { why: 'no longer configured', failures: 0 });
});

test('INFO is read, from a primary and a replica', async (t) => {
  const primary =
    'role:master\r\nconnected_slaves:1\r\nmaster_replid:abc\r\nmaster_replid2:0000\r\nmaster_repl_offset:42\r\n';
  const plain = { previousReplId: undefined, linkDown: false, follows: undefined };
  t.strictSame(readSample('p1', primary), { ...master(42, 'p1', 'abc'), ...plain });
  const replica =
    'role:slave\r\nmaster_host:::1\r\nmaster_port:7\r\nmaster_link_status:down\r\nmaster_sync_in_progress:1\r\nslave_read_repl_offset:9\r\nslave_repl_offset:7\r\nmaster_replid:abc\r\nmaster_replid2:def\r\nmaster_repl_offset:9\r\n';
  t.strictSame(
    readSample('a1', replica),
    { ...slave(7, 'a1', 'abc'), syncing: true, previousReplId: 'def', linkDown: true, follows: '[::1]:7' },
    'applied, not received',
  );
  t.equal(readSample('x', 'role:sentinel\r\n'), undefined);
  t.equal(readSample('x', 'role:master\r\nmaster_repl_offset:1\r\n'), undefined, 'before Redis 4');
  t.equal(readSample('x', 'role:master\r\nmaster_replid:a\r\n'), undefined);
});

test('the guard: who takes over data of others has to prove that its replicas have it', async (t) => {
  const { known, a, round } = topology();
  round(master(1), 0);
  known.replicaAnswered('a', slave(1), 0);
  const home = new ReadGuard(known);
  home.answered('a1', false);
  const behind = new ReadGuard(known);
  behind.answered('p1', true);
  const wroteElsewhere = new ReadGuard(known);
  const all = [home, behind, wroteElsewhere];
  round(master(1), 1);
  known.replicaAnswered('a', slave(1), 1);
  t.same(
    all.map((guard) => guard.allows(a)),
    [true, true, true],
  );
  known.tookOver();
  t.same(
    all.map((guard) => guard.allows(a)),
    [false, false, false],
    'a round from before says nothing of it',
  );
  round(master(2), 2);
  known.replicaAnswered('a', slave(1), 2);
  t.same(
    all.map((guard) => guard.allows(a)),
    [false, false, false],
    'it has not applied that yet',
  );
  known.replicaAnswered('a', slave(2), 3);
  t.same(
    all.map((guard) => guard.allows(a)),
    [true, true, true],
  );
});

test('who is promoted while there is no primary takes reads until it is the primary itself', async (t) => {
  const { known, a, round } = topology();
  round(master(5), 0);
  known.replicaAnswered('a', slave(5), 0);
  const guard = new ReadGuard(known);
  guard.answered('a1', false);
  const promoted = { ...master(6, 'a1', 'h2'), previousReplId: 'h1' };
  const early = topology();
  early.round(master(5), 0);
  early.known.replicaAnswered('a', slave(5), 0);
  early.known.replicaAnswered('a', promoted, 100);
  t.match(early.a, { eligible: false, why: 'it says it is a primary, not a replica' }, 'there is another');
  known.primaryLost('ECONNRESET');
  known.replicaAnswered('a', promoted, 300);
  t.match(a, { eligible: true, covered: 1 });
  t.ok(guard.allows(a));
  known.judgeLag(1001);
  t.equal(a.eligible, false, 'not for longer than max-lag');
  known.replicaAnswered('a', { ...promoted, runId: 'a2' }, 400);
  t.equal(a.eligible, false, 'another process, whose data nobody knows');
  known.replicaAnswered('a', { ...master(6, 'a2', 'h3'), previousReplId: 'h0' }, 500);
  t.equal(a.eligible, false, 'of another history');
});
