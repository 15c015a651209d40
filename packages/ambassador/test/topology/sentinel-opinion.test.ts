import { test } from 'tap';
import { SentinelOpinion } from '../../src/topology/sentinel-opinion.ts';
import type { SentinelView, Succession } from '../../src/topology/sentinel-view.ts';

const view = (primary: string, epoch: number): SentinelView => ({
  sentinel: 's',
  primary,
  epoch,
  leads: false,
  replicas: ['r'],
  sentinels: ['other'],
});
const switched = (from: string, to: string): Succession => ({ from, to });

test('nothing is believed before a sentinel tells, and the last word stands when none does', async (t) => {
  const opinion = new SentinelOpinion(10_000);
  t.equal(opinion.problem, 'no sentinel has been asked yet');
  opinion.heard('1', 'ECONNREFUSED', 0);
  t.equal(opinion.believed, undefined);
  t.equal(opinion.problem, 'sentinel 1: ECONNREFUSED');
  opinion.heard('2', view('a', 1), 0);
  t.strictSame(opinion.believed, { primary: 'a', replicas: ['r'], sentinels: ['other'] });
  t.equal(opinion.problem, '');
  opinion.heard('2', 'closed', 0);
  t.equal(opinion.believed?.primary, 'a');
  t.equal(opinion.problem, 'sentinel 1: ECONNREFUSED; sentinel 2: closed');
  opinion.forget('1');
  t.equal(opinion.word('1'), undefined);
  t.equal(opinion.word('2'), 'closed');
});

test('after a switch, words of before are not believed: they are on their way still', async (t) => {
  const opinion = new SentinelOpinion(10_000);
  opinion.heard('1', view('a', 4), 0);
  opinion.heard('2', view('a', 4), 0);
  t.equal(opinion.switched(switched('a', 'b'), 100), true);
  t.equal(opinion.believed?.primary, 'b');
  opinion.heard('2', view('a', 4), 101);
  t.equal(opinion.believed?.primary, 'b');
  opinion.heard('1', view('b', 5), 102);
  opinion.heard('2', view('a', 4), 5000);
  t.equal(opinion.believed?.primary, 'b');
});

test('a sentinel that knew the newest and is gone is still right, until nobody knows better for long', async (t) => {
  const opinion = new SentinelOpinion(10_000);
  opinion.heard('1', view('b', 5), 0);
  opinion.heard('1', 'ECONNREFUSED', 10);
  opinion.heard('2', view('a', 4), 20);
  t.equal(opinion.believed?.primary, 'b');
  opinion.heard('2', view('a', 4), 10_001);
  t.equal(opinion.believed?.primary, 'a', 'the epochs were reset');
});

test('old news are no news', async (t) => {
  const opinion = new SentinelOpinion(10_000);
  t.equal(opinion.switched(switched('a', 'b'), 0), false, 'nothing is believed yet');
  opinion.heard('1', view('c', 6), 0);
  t.equal(opinion.switched(switched('a', 'b'), 1), false);
  t.equal(opinion.believed?.primary, 'c');
});
