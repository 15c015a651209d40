import { test } from 'tap';
import type { Random } from '@outrigger/core/clock';
import { FakeClock, seededRandom } from '@outrigger/core/clock';
import { chooseReplica } from '../../src/topology/choose.ts';
import { defaultTopologyLimits } from '../../src/topology/limits.ts';
import { admit, failed, latencyBeside, measured, unknownReplica } from '../../src/topology/replica.ts';
import type { Replica } from '../../src/topology/replica.ts';

const limits = { ...defaultTopologyLimits, ejectAfterFailures: 3, ejectMs: 100, ejectMaxMs: 400 };

function replica(name: string, state: Partial<Replica> = {}): Replica {
  const made = Object.assign(unknownReplica(name), state);
  admit(made);
  return made;
}

const any = (): boolean => true;
const first: Random = { next: () => 0 };

test('the better of two: less waiting, faster, fewer sessions', async (t) => {
  const name = (a: Replica, b: Replica): string | undefined =>
    chooseReplica([a, b], any, { random: seededRandom(1), nowMs: 0 })?.name;
  t.equal(name(replica('a', { outstanding: 1 }), replica('b')), 'b');
  t.equal(name(replica('a', { ewmaMs: 5 }), replica('b', { ewmaMs: 4 })), 'b');
  t.equal(name(replica('a', { outstanding: 9, ewmaMs: 1 }), replica('b', { ewmaMs: 11 })), 'a');
  t.equal(name(replica('a', { sessions: 1 }), replica('b')), 'b');
  t.equal(
    name(replica('a', { outstanding: 1 }), replica('b', { ewmaMs: 50 })),
    'b',
    'unknown is as fast as the other',
  );
  t.equal(chooseReplica([], any, { random: first, nowMs: 0 }), undefined);
  t.equal(chooseReplica([replica('a')], any, { random: first, nowMs: 0 })?.name, 'a');
});

test("only two are compared, so the best of many is not everybody's", async (t) => {
  const many = ['a', 'b', 'c', 'd', 'e'].map((name, i) => replica(name, { ewmaMs: i + 1 }));
  const random = seededRandom(7);
  const chosen = new Map<string, number>();
  for (let i = 0; i < 1000; i++) {
    const name = chooseReplica(many, any, { random, nowMs: 0 })?.name ?? '';
    chosen.set(name, (chosen.get(name) ?? 0) + 1);
  }
  t.ok((chosen.get('a') ?? 0) > 300 && (chosen.get('a') ?? 0) < 500, `a: ${chosen.get('a')}`);
  t.ok((chosen.get('d') ?? 0) > 50);
  t.equal(chosen.get('e'), undefined, 'the worst loses every comparison');
});

test('the own zone comes first, and the others when it has none', async (t) => {
  const near = replica('near', { zone: 'z1', outstanding: 100 });
  const far = replica('far', { zone: 'z2' });
  const options = { random: seededRandom(1), nowMs: 0, zone: 'z1' };
  t.equal(chooseReplica([near, far], any, options), near);
  t.equal(
    chooseReplica([near, far], (one) => one !== near, options),
    far,
  );
  near.eligible = false;
  t.equal(chooseReplica([near, far], any, options), far);
});

test('latency follows what is measured, slowly', async (t) => {
  const one = replica('a');
  measured(one, 10, 0);
  t.equal(one.ewmaMs, 10);
  measured(one, 20, 1);
  t.equal(one.ewmaMs, 11);
  measured(one, 1, 60_000);
  t.ok(one.ewmaMs < 1.1, 'what is long ago counts for little');
});

test('a replica that was slow once is tried again, though nobody measures it', async (t) => {
  const clock = new FakeClock();
  const [fast, slow] = [replica('fast'), replica('slow')];
  measured(fast, 1, clock.now());
  measured(slow, 500, clock.now());
  const random = seededRandom(3);
  /** New sessions, each of which stays; those at the fast one keep measuring it. */
  const join = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const chosen = chooseReplica([fast, slow], any, { random, nowMs: clock.now() }) as Replica;
      chosen.sessions++;
      measured(fast, 1, clock.now());
    }
  };
  join(100);
  t.equal(slow.sessions, 0, 'it is slow');
  for (let second = 0; second < 60; second++) {
    await clock.advance(1_000);
    join(1);
  }
  t.ok(slow.sessions > 30, `its share of the new ones: ${slow.sessions} of 60`);
  t.ok(slow.sessions <= fast.sessions, 'nobody rushes there');
});

test('of two that nobody measures the one that was faster stays the better', async (t) => {
  const [fast, slow] = [replica('fast'), replica('slow')];
  measured(fast, 1, 0);
  measured(slow, 500, 0);
  const random = seededRandom(3);
  for (const nowMs of [0, 1_000, 10_000, 3_600_000]) {
    t.ok(latencyBeside(fast, slow, nowMs) <= latencyBeside(slow, fast, nowMs), `${nowMs} ms later`);
  }
  t.equal(chooseReplica([fast, slow], any, { random, nowMs: 1_000 }), fast);
});

test('failures in a row eject, for longer each time; a success or a long calm ends that', async (t) => {
  const one = replica('a');
  t.equal(failed(one, 1000, limits), false);
  t.equal(failed(one, 1010, limits), false);
  t.equal(failed(one, 1020, limits), true);
  t.equal(one.readmitAtMs, 1120);
  t.equal(failed(one, 1130, limits), true, 'the first failure after that is enough');
  t.equal(one.readmitAtMs, 1330);
  t.equal(failed(one, 1340, limits), true);
  t.equal(failed(one, 1800, limits), true);
  t.equal(one.readmitAtMs, 2200, 'at most ejectMaxMs');
  one.failures = 0;
  t.equal(failed(one, 2300, limits), false);
  t.equal(one.ejections, 0);
  t.equal(failed(one, 2310, limits), false);
  t.equal(failed(one, 2711, limits), false, 'the ones before are too long ago');
  t.equal(one.failures, 1);
});
