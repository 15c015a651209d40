/** Each checker accepts a story that keeps every promise, and finds the one broken promise in each that does not. */

import { test } from 'tap';
import { entry } from '../history.ts';
import type { Action, Op, Via } from '../history.ts';
import { repliesMatched } from './matched.ts';
import { readsServed } from './served.ts';
import { checkSessions } from './session.ts';
import { checkStaleness } from './staleness.ts';
import { checkWrites } from './writes.ts';

let clock = 0;

function op(session: number, action: Action, reply: string | undefined, tookMs = 1): Op {
  const sentAt = ++clock;
  clock += tookMs;
  return { session, action, sentAt, answeredAt: clock, reply };
}

function append(session: number, seq: number, reply: string | undefined, via: Via = 'plain'): Op {
  return op(session, { kind: 'append', key: 'k', seq, via }, reply);
}

function last(session: number, seq: number, key = 'k'): Op {
  const text = entry('k', seq);
  return op(session, { kind: 'last', key }, seq < 0 ? '$-1\r\n' : `$${text.length}\r\n${text}\r\n`);
}

function holds(...seqs: number[]): Map<string, string[]> {
  return new Map([['k', seqs.map((seq) => entry('k', seq))]]);
}

const unknown = '-OUTRIGGER write outcome unknown: 127.0.0.1:1 was lost before it answered\r\n';
const refused = "-READONLY You can't write against a read only replica.\r\n";
const whole = { from: 0, to: Number.POSITIVE_INFINITY };

test('a story without fault', (t) => {
  const history = [
    last(2, -1),
    append(1, 0, ':1\r\n'),
    append(1, 1, '+OK\r\n+QUEUED\r\n*1\r\n:2\r\n', 'transaction'),
    append(1, 2, refused),
    last(1, 1),
    last(2, 0),
    append(1, 3, unknown),
    append(1, 4, unknown),
    last(2, 3),
    op(1, { kind: 'echo', word: 'a' }, '$1\r\na\r\n'),
    op(1, { kind: 'last', key: 'k' }, '-OUTRIGGER no primary: it is being elected\r\n'),
    append(1, 5, undefined),
  ];
  const outcome = holds(0, 1, 3, 5);
  t.strictSame(repliesMatched(history), []);
  t.strictSame(checkWrites(history, outcome), {
    problems: [],
    told: { acknowledged: 2, unknown: 2, refused: 1, dropped: 1 },
    lostByServers: 0,
    executedUntold: 2,
  });
  t.strictSame(checkSessions(history, outcome), { problems: [], reads: 4, excused: 0 });
  t.strictSame(checkStaleness(history, outcome, 100).problems, []);
  t.end();
});

test('a reply to somebody else, or out of order', (t) => {
  const wrong: Op[][] = [
    [append(1, 0, ':1\r\n'), last(1, 0, 'other')],
    [last(1, 7)],
    [op(1, { kind: 'echo', word: 'a' }, '$1\r\nb\r\n')],
    [op(1, { kind: 'echo', word: 'a' }, ':1\r\n')],
    [op(1, { kind: 'last', key: 'k' }, ':1\r\n')],
    [append(1, 0, '$-1\r\n')],
    [append(1, 0, '+OK\r\n')],
    [append(1, 0, ':1\r\n', 'transaction')],
  ];
  for (const history of wrong) t.match(repliesMatched(history), [/not an answer/]);
  t.end();
});

test('writes: lost, repeated, refused and executed, out of order', (t) => {
  const two = [append(1, 0, ':1\r\n'), append(1, 1, ':2\r\n')];
  t.match(checkWrites(two, holds(0)).problems[0], /acknowledged and lost without a failover: .*k#1/);
  t.match(checkWrites(two, holds(0, 1, 1)).problems, [/executed more than once: .*k#1/]);
  t.match(checkWrites(two, holds(1, 0)).problems[0], /executed after number 1 .*k#0/);
  t.match(checkWrites(two, holds(0, 1, 2)).problems, [/k holds k#2, which nobody wrote/]);
  t.match(checkWrites([append(1, 0, refused)], holds(0)).problems, [/refused and yet executed/]);
  t.match(checkWrites([append(1, 0, unknown)], holds(0, 0)).problems, [/executed more than once/]);
  t.match(checkWrites([append(1, 0, undefined)], holds(0, 0)).problems, [/executed more than once/]);
  t.match(checkWrites([append(1, 0, ':5\r\n')], holds(0)).problems, [/told length 5/]);
  t.end();
});

test('writes: what servers lose in a failover is theirs, before and after it is not', (t) => {
  const early = append(1, 0, ':1\r\n');
  const during = append(1, 1, ':2\r\n');
  const late = append(1, 2, ':2\r\n');
  const upheaval = { from: during.sentAt, to: during.answeredAt };
  const { problems, lostByServers } = checkWrites([early, during, late], holds(), [upheaval]);
  t.match(problems, [/lost without a failover: .*k#0/, /lost without a failover: .*k#2/]);
  t.equal(problems.length, 2);
  t.equal(lostByServers, 1);
  t.end();
});

test('a session that does not read its own write, or goes back', (t) => {
  const own = [append(1, 0, ':1\r\n'), append(1, 1, ':2\r\n'), last(1, 0)];
  t.match(checkSessions(own, holds(0, 1)).problems, [/older than 1, which it knew/]);
  const nothing = [append(1, 0, ':1\r\n'), last(1, -1)];
  t.match(checkSessions(nothing, holds(0)).problems, [/older than 0/]);
  const back = [last(2, 1), last(2, 0)];
  t.match(checkSessions(back, holds(0, 1)).problems, [/older than 1/]);
  const strangers = [append(1, 0, ':1\r\n'), last(2, -1), last(3, 0), last(2, -1)];
  t.strictSame(checkSessions(strangers, holds(0)).problems, [], 'one session knows nothing of another');
  t.end();
});

test('a session may only miss what was lost, and only after that', (t) => {
  const seen = last(2, 5);
  const before = last(2, 4);
  const middle = append(1, 6, ':6\r\n');
  const after = last(2, 4);
  const upheaval = { from: middle.sentAt, to: middle.answeredAt };
  const history = [seen, before, middle, after];
  const { problems, excused } = checkSessions(history, holds(4), [upheaval]);
  t.match(problems, [/older than 5, which it knew, before that was lost/]);
  t.equal(problems.length, 1);
  t.equal(excused, 1);
  t.match(
    checkSessions([seen, after], holds(4, 5), [upheaval]).problems,
    [/older than 5/],
    'it is still there',
  );
  t.end();
});

test('a read that is staler than promised', (t) => {
  const write = append(1, 0, ':1\r\n');
  const newer = append(1, 1, ':2\r\n');
  clock += 500;
  const stale = last(2, -1);
  const { problems, worstMs } = checkStaleness([write, newer, stale], holds(0, 1), 400);
  t.match(problems, [/ms behind, 400 allowed/]);
  t.equal(worstMs, stale.sentAt - write.answeredAt, 'counted from the first entry that is missing');
  t.strictSame(checkStaleness([write, newer, stale], holds(0, 1), 600).problems, []);
  t.strictSame(
    checkStaleness([write, newer, stale], holds(), 400).problems,
    [],
    'what was lost binds nobody',
  );
  t.end();
});

test('reads that were refused or waited', (t) => {
  const read = (reply: string | undefined, tookMs: number): Op =>
    op(1, { kind: 'last', key: 'k' }, reply, tookMs);
  const history = [read('$-1\r\n', 5), read(refused, 7), read(undefined, 30), append(1, 0, ':1\r\n')];
  t.strictSame(readsServed(history, whole), { answered: 1, failed: 2, longestMs: 30 });
  t.strictSame(readsServed(history, whole, (session) => session === 2), { answered: 0, failed: 0, longestMs: 0 }); // prettier-ignore
  t.strictSame(readsServed(history, { from: 0, to: 0 }), { answered: 0, failed: 0, longestMs: 0 });
  t.end();
});
