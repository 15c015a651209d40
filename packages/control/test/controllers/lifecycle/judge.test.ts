/** Verdicts on silence, one at a time; the whole course is in lifecycle.test.ts. */

import { seededRandom } from '@outrigger/core/clock';
import { test } from 'tap';
import type { Member } from '../../../src/controllers/lifecycle/judge.ts';
import { Judge } from '../../../src/controllers/lifecycle/judge.ts';

function member(key: string, lastHeard: number, more: Partial<Member> = {}): Member {
  return { key, lastHeard, renewedAt: undefined, durationMs: 10, judged: true, markedAt: undefined, ...more };
}

/** Services by the first letter of the pod. */
function judge(): Judge {
  return new Judge({ holdMs: 1_000, servicesOf: (pod) => [pod.slice(0, 1)] });
}

test('half may go, more may not', async (t) => {
  const members = (silent: number): Member[] => [
    ...Array.from({ length: 4 }, (_, i) => member(`a${i}`, i < silent ? 0 : 95)),
    ...Array.from({ length: 6 }, (_, i) => member(`b${i}`, 95)),
  ];
  t.strictSame(judge().judge(members(2), 100), {
    expire: ['a0', 'a1'],
    began: [],
    ended: [],
    held: 0,
    everyoneHeld: false,
  });
  t.strictSame(judge().judge(members(3), 100), {
    expire: [],
    began: [{ group: 'a', since: 100, silent: 3, members: 4 }],
    ended: [],
    held: 3,
    everyoneHeld: false,
  });
});

test('all Leases are a group, those of nobody’s pods too', async (t) => {
  const pods = [member('a0', 0), member('b0', 0), member('c0', 95)];
  const company = (count: number, lastHeard: number): Member[] =>
    Array.from({ length: count }, (_, i) => member(`x${i}`, lastHeard, { judged: false }));
  const verdict = judge().judge(pods, 100);
  t.strictSame([verdict.expire, verdict.everyoneHeld], [[], true]);
  t.strictSame(judge().judge([...pods, ...company(2, 95)], 100).expire, ['a0', 'b0']);
  const fresh = judge().judge([...pods, ...company(2, 85)], 100);
  t.strictSame(fresh.expire, [], 'others have just fallen silent as well');
  const old = judge().judge([member('a0', 0), member('b0', 95), ...company(5, 10)], 100);
  t.strictSame(old.expire, ['a0'], 'those that have long been silent tell nothing');
});

test('what has been dead for long is no member', async (t) => {
  const old = Array.from({ length: 5 }, (_, i) => member(`a${i}`, 0, { markedAt: 50 }));
  const fresh = Array.from({ length: 5 }, (_, i) => member(`a${i}`, 0, { markedAt: 95 }));
  const rest = [member('a7', 0), member('a8', 95), member('a9', 95)];
  t.strictSame(judge().judge([...old, ...rest], 100).expire, ['a7'], 'one of three');
  t.strictSame(judge().judge([...fresh, ...rest], 100).expire, [], 'six of eight in one duration');
});

test('a hold ends when all are renewed', async (t) => {
  const subject = judge();
  subject.judge([member('a0', 0), member('a1', 0)], 100);
  const verdict = subject.judge([member('a0', 101), member('a1', 101)], 102);
  t.strictSame(verdict.expire, []);
  t.strictSame(
    verdict.ended.map(({ group, why }) => `${group} ${why}`),
    ['* renewed', 'a renewed'],
  );
});

test('the hold of a Service ends a full duration after anyone of it was heard', async (t) => {
  const subject = judge();
  const rest = (now: number) => Array.from({ length: 5 }, (_, i) => member(`b${i}`, now));
  const silent = [member('a0', 0), member('a1', 0)];
  t.match(subject.judge([...silent, member('a2', 99), ...rest(99)], 100), { began: [{ group: 'a' }] });
  const back = member('a2', 105, { renewedAt: 105 });
  t.strictSame(subject.judge([...silent, back, ...rest(105)], 105).expire, []);
  t.strictSame(subject.judge([...silent, { ...back, lastHeard: 112 }, ...rest(112)], 114).expire, []);
  t.match(subject.judge([...silent, { ...back, lastHeard: 112 }, ...rest(112)], 115), {
    ended: [{ group: 'a', why: 'heard' }],
    expire: ['a0', 'a1'],
  });
});

test('one who was heard and fell silent again is no sign any more', async (t) => {
  const subject = judge();
  const members = (renewedAt: number) => [
    member('a0', 0),
    member('a1', 0),
    member('a2', renewedAt, { renewedAt }),
  ];
  subject.judge(members(50), 100);
  subject.judge(members(101), 101);
  t.strictSame(subject.judge(members(101), 120).expire, []);
});

test('the hold of everyone ends so only when half of them were heard', async (t) => {
  const members = (heard: number, now: number) =>
    Array.from({ length: 6 }, (_, i) =>
      i < heard ? member(`${'abcdef'[i]}`, now, { renewedAt: now }) : member(`${'abcdef'[i]}`, 0),
    );
  for (const [heard, expired] of [
    [2, 0],
    [3, 3],
  ] as const) {
    const subject = judge();
    subject.judge(members(0, 100), 100);
    subject.judge(members(heard, 105), 105);
    t.equal(subject.judge(members(heard, 115), 115).expire.length, expired, `${heard} of 6 were heard`);
  }
});

test('renewals from before the hold are no sign that we hear', async (t) => {
  const subject = judge();
  const members = [member('a0', 0), member('a1', 0), member('a2', 99, { renewedAt: 99 })];
  subject.judge(members, 100);
  t.strictSame(subject.judge(members, 108).expire, []);
});

test('never more than half of a group at once, whatever happens', async (t) => {
  const seed = 5;
  const random = seededRandom(seed);
  for (let round = 0; round < 200; round += 1) {
    const subject = judge();
    const members = Array.from({ length: 12 }, (_, i) => member(`${'ab'[i % 2]}${i}`, 0));
    let now = 0;
    let heard = true;
    let released = Number.NEGATIVE_INFINITY;
    for (let step = 0; step < 60; step += 1) {
      now += 1;
      if (random.next() < 0.05) heard = !heard;
      for (const [i, entry] of members.entries()) {
        const alive = heard && (i * 7 + round) % 5 !== 0 && random.next() < 0.4;
        if (alive) members[i] = { ...entry, lastHeard: now, renewedAt: now, markedAt: undefined };
      }
      const before = members.filter(({ markedAt }) => markedAt === undefined).length;
      const { expire, ended } = subject.judge(members, now);
      const freshlyMarked = members.filter(
        ({ markedAt }) => markedAt !== undefined && now - markedAt < 10,
      ).length;
      if (ended.length > 0) released = now;
      // Who is marked when a hold ends has had a second chance that was seen to be one.
      if (expire.length > 0 && now - released >= 10) {
        const lost = expire.length + freshlyMarked;
        t.ok(lost * 2 <= before + freshlyMarked, `seed ${seed} round ${round} step ${step}`);
      }
      for (const [i, entry] of members.entries()) {
        if (expire.includes(entry.key)) members[i] = { ...entry, markedAt: now };
      }
    }
  }
});
