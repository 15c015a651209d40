import { test } from 'tap';
import { Line } from '../../src/upstream/line.ts';
import { Run } from '../../src/upstream/run.ts';
import type { RunOwner } from '../../src/upstream/run.ts';
import { FakeWires, identity, server } from './fake-wire.ts';
import type { FakeWire } from './fake-wire.ts';

class House {
  nowMs = 0;
  readonly wires = new FakeWires();
  readonly soon: Line[] = [];
  readonly lost: string[] = [];
  errors = 0;
  readonly line: Line;

  constructor(exclusive = false) {
    this.line = new Line({
      server,
      identity,
      exclusive,
      readonly: false,
      evenBusy: false,
      maxDepth: 128,
      openWire: this.wires.openWire,
      soon: (line) => this.soon.push(line),
      now: () => this.nowMs,
      onLost: (_line, { why }, was) => this.lost.push(`${was}: ${why}`),
      onErrorReply: () => this.errors++,
    });
  }

  get wire() {
    return this.wires.last;
  }

  turn(): void {
    for (const line of this.soon.splice(0)) line.turnEnded();
  }
}

/** Writes down what a run is told, with the answers it completes. */
class Diary implements RunOwner {
  bytes = '';
  answers = 0;
  readonly rejections: string[] = [];
  why: string | undefined;

  answered(_run: Run, bytes: Uint8Array, answers: number): void {
    this.bytes += Buffer.from(bytes).toString('latin1');
    this.answers += answers;
  }

  rejected(_run: Run, rejection: string, bytes: Uint8Array): void {
    this.rejections.push(`${rejection} behind ${this.answers}: ${Buffer.from(bytes).toString('latin1')}`);
    this.answers++;
  }

  lost(_run: Run, { why }: { why: string }): void {
    this.why = why;
  }
}

function ask(line: Line, text: string, count = 1, run = new Run(new Diary(), line)): [Run, Diary] {
  line.send(run, Buffer.from(text), count);
  return [run, run.owner as Diary];
}

/** So much is under way that requests wait for one another. */
function busy(line: Line, wire: FakeWire): void {
  ask(line, 'busy', 4);
  wire.written.length = 0;
}

const fourAnswers = '+1\r\n+2\r\n+3\r\n+4\r\n';

test('while little is under way, requests leave at once', async (t) => {
  const { line, wire, settle } = withTurns(new House());
  wire.open();
  for (const text of ['a', 'b', 'c', 'd', 'e', 'f']) ask(line, text);
  t.strictSame(wire.written, ['a', 'b', 'c', 'd']);
  wire.answer(fourAnswers);
  ask(line, 'g');
  settle();
  t.strictSame(wire.written, ['a', 'b', 'c', 'd', 'efg'], 'nothing overtakes what is queued');
});

test('requests leave in one write once what is under way is answered', async (t) => {
  const { line, wire, ...house } = withTurns(new House());
  wire.open();
  busy(line, wire);
  const [, first] = ask(line, 'a');
  const [, second] = ask(line, 'bc', 2);
  house.settle();
  t.strictSame(wire.written, [], 'the server is near, and has not answered');
  wire.answer('+1\r\n+2\r\n+3\r\n');
  house.settle();
  t.strictSame(wire.written, [], 'not all');
  wire.answer('+4\r\n');
  house.settle();
  t.strictSame(wire.written, ['abc']);
  wire.answer('+1\r\n+2\r\n');
  t.strictSame([first.bytes, second.bytes, second.answers], ['+1\r\n', '+2\r\n', 1]);
  t.equal(line.outstanding, 1);
  wire.answer('+3\r\n');
  t.equal(second.bytes, '+2\r\n+3\r\n');
});

test('nothing waits for a server that is far away, nor much', async (t) => {
  const house = new House();
  const { line, wire } = withTurns(house);
  wire.open();
  for (let i = 0; i < 30; i++) {
    ask(line, 'a');
    withTurns(house).settle();
    house.nowMs += 5;
    wire.answer('+OK\r\n');
  }
  wire.written.length = 0;
  ask(line, 'b');
  withTurns(house).settle();
  ask(line, 'c');
  withTurns(house).settle();
  t.strictSame(wire.written, ['b', 'c']);
  ask(line, 'x'.repeat(70_000));
  t.equal(wire.written.length, 3, 'so much leaves at once');
});

test('large slices are not joined, short ones side by side are', async (t) => {
  const { line, wire, settle } = withTurns(new House());
  wire.open();
  busy(line, wire);
  for (const text of ['a', 'b', 'x'.repeat(20_000), 'c', 'd']) ask(line, text);
  wire.answer(fourAnswers);
  settle();
  t.strictSame(wire.written, [`ab|${'x'.repeat(20_000)}|cd`]);
});

test('requests wait for a line to open, and its waiters are told', async (t) => {
  const { line, wire } = withTurns(new House());
  const told: string[] = [];
  const waiter = { lineChanged: (one: Line) => void told.push(one.state) };
  line.wait(waiter);
  line.wait({ lineChanged: () => void told.push('left') });
  const leaver = { lineChanged: () => void told.push('never') };
  line.wait(leaver);
  line.leave(leaver);
  wire.open();
  t.strictSame(told, ['open', 'left']);
  t.equal(line.welcome.runId, 'run');
  wire.room = false;
  ask(line, 'a');
  line.flush();
  t.ok(line.full);
  line.wait(waiter);
  wire.events.drained();
  t.strictSame([told.length, line.full], [3, false], 'told once each');
});

test('answers are told apart by their boundaries alone, however they are cut', async (t) => {
  const parts = ['$5\r\na\r\n+b\r\n', '*2\r\n:1\r\n$-1\r\n', '-ERR no\r\n', '-READONLY no\r\n', '+OK\r\n', '-MOVED 1 h:1\r\n', ':1\r\n']; // prettier-ignore
  const whole = parts.join('');
  for (let at = 0; at <= whole.length; at++) {
    for (const chunks of [[whole.slice(0, at), whole.slice(at)], at === 0 ? [...whole] : []]) {
      if (chunks.length === 0) continue;
      const house = withTurns(new House());
      house.wire.open();
      const [run, one] = ask(house.line, 'abc', 3);
      const [, two] = ask(house.line, 'defg', 4);
      house.settle();
      for (const chunk of chunks) if (chunk !== '') house.wire.answer(chunk);
      t.equal(one.bytes, parts.slice(0, 3).join(''), `cut at ${at}`);
      t.ok(run.done && !run.partial);
      t.equal(two.bytes, '+OK\r\n:1\r\n');
      t.strictSame(two.rejections, [
        'READONLY behind 0: -READONLY no\r\n',
        'MOVED behind 2: -MOVED 1 h:1\r\n',
      ]);
      t.ok(house.line.idle);
      t.equal(house.errors(), 1, 'an error that is no rejection');
    }
  }
});

test('a part of an answer is handed over as it comes, an error never', async (t) => {
  const { line, wire, settle } = withTurns(new House());
  wire.open();
  const [run, diary] = ask(line, 'ab', 2);
  settle();
  wire.answer('$10\r\n0123');
  t.strictSame([diary.bytes, run.partial, run.answered], ['$10\r\n0123', true, 0]);
  wire.answer('456789\r\n-LOAD');
  t.strictSame([diary.bytes, run.partial, run.answered], ['$10\r\n0123456789\r\n', false, 1]);
  wire.answer('ING\r\n');
  t.strictSame(diary.rejections, ['LOADING behind 1: -LOADING\r\n']);
});

test('what merely begins like a rejection is an answer', async (t) => {
  const { line, wire, settle } = withTurns(new House());
  wire.open();
  const [, diary] = ask(line, 'abc', 3);
  settle();
  wire.answer('-READONLYISH x\r\n+READONLY\r\n-ASKED\r\n');
  t.strictSame([diary.rejections, diary.answers], [[], 3]);
});

for (const nonsense of ['?\r\n', 'HTTP/1.1 400\r\n', '+1\r\n+2\r\n+3\r\n', '+1\r\n+2\r\n$3\r\n']) {
  test(`a server that cannot be followed is left: ${JSON.stringify(nonsense)}`, async (t) => {
    const house = withTurns(new House());
    house.wire.open();
    const [, diary] = ask(house.line, 'ab', 2);
    house.settle();
    house.wire.answer(nonsense);
    t.ok(house.wire.destroyed);
    t.equal(house.line.state, 'closed');
    t.match(house.lost()[0], /^open: it (does not speak RESP|sent an answer nobody asked for)/);
    t.equal(diary.why === undefined, diary.answers === 2, 'whoever was owed an answer is told');
  });
}

test('what is queued has not been asked: a server that answers it is left', async (t) => {
  const house = withTurns(new House());
  house.wire.open();
  const [, first] = ask(house.line, 'abcd', 4);
  const [, queued] = ask(house.line, 'e');
  t.strictSame(house.wire.written, ['abcd'], 'it waits for the answers');
  house.wire.answer(`${fourAnswers}+5\r\n`);
  t.ok(house.wire.destroyed);
  t.strictSame(house.lost(), ['open: it sent an answer nobody asked for']);
  t.strictSame([first.bytes, queued.bytes], [fourAnswers, '']);
  t.equal(queued.why, 'it sent an answer nobody asked for');
});

test('pushes reach the owner of an exclusive line, between and within chunks', async (t) => {
  for (const exclusive of [true, false]) {
    const push = '>2\r\n+message\r\n+x\r\n';
    const whole = `+1\r\n${push}+2\r\n`;
    for (let at = 1; at < whole.length; at++) {
      const { line, wire, settle } = withTurns(new House(exclusive));
      let pushed = '';
      line.onPush = (bytes) => (pushed += Buffer.from(bytes).toString('latin1'));
      wire.open();
      const [, diary] = ask(line, 'ab', 2);
      settle();
      wire.answer(whole.slice(0, at));
      wire.answer(whole.slice(at));
      t.strictSame([diary.bytes, diary.answers, pushed], ['+1\r\n+2\r\n', 2, exclusive ? push : '']);
    }
  }
});

test('an exclusive line sends at once, may be paused, and is not clean behind an error', async (t) => {
  const { line, wire } = withTurns(new House(true));
  wire.open();
  ask(line, 'a');
  t.strictSame(wire.written, ['a']);
  line.pause();
  t.ok(wire.paused);
  line.resume();
  t.notOk(wire.paused);
  wire.answer('+OK\r\n');
  t.notOk(line.dirty);
  ask(line, 'b');
  wire.answer('-ERR no\r\n');
  t.ok(line.dirty);
});

test('in raw mode bytes pass as they are, both ways', async (t) => {
  const { line, wire } = withTurns(new House(true));
  wire.open();
  let got = '';
  line.startRaw((chunk) => (got += Buffer.from(chunk).toString('latin1')));
  line.write(Buffer.from('whatever'));
  wire.answer('?!');
  t.strictSame([wire.written, got], [['whatever'], '?!']);
  line.endRaw(new Uint8Array(0));
  const [, diary] = ask(line, 'a');
  wire.answer('+OK\r\n');
  t.strictSame([got, diary.bytes], ['?!', '+OK\r\n']);
});

test('in raw mode, who has nothing more to write still hears answers', async (t) => {
  const { line, wire } = withTurns(new House());
  wire.open();
  let got = '';
  line.startRaw((chunk) => (got += Buffer.from(chunk).toString('latin1')));
  t.notOk(wire.ended);
  line.endWriting();
  wire.answer('+late\r\n');
  t.strictSame([wire.ended, wire.destroyed, got], [true, false, '+late\r\n']);
});

test('a lost line tells every run once, in order, and its waiters', async (t) => {
  const house = withTurns(new House());
  const { line, wire } = house;
  wire.open();
  const [, one] = ask(line, 'a');
  const [, two] = ask(line, 'b');
  let told = 0;
  line.wait({ lineChanged: () => void told++ });
  wire.events.lost({ why: 'ECONNRESET', error: undefined });
  t.strictSame([one.why, two.why, told], ['ECONNRESET', 'ECONNRESET', 1]);
  t.strictSame(house.lost(), ['open: ECONNRESET']);
  t.equal(line.refusal?.why, 'ECONNRESET');
  line.close('again');
  t.equal(line.refusal?.why, 'ECONNRESET', 'it was closed already');
});

test('closeWhenIdle: at once, or with the last answer', async (t) => {
  const idle = withTurns(new House());
  idle.wire.open();
  idle.line.closeWhenIdle('no longer needed');
  t.equal(idle.line.state, 'closed');
  const { line, wire, settle } = withTurns(new House());
  wire.open();
  const [, diary] = ask(line, 'ab', 2);
  settle();
  line.closeWhenIdle('no longer needed');
  wire.answer('+1\r\n');
  t.equal(line.state, 'open');
  wire.answer('+2\r\n');
  t.strictSame([line.state, diary.bytes, diary.why], ['closed', '+1\r\n+2\r\n', undefined]);
});

function withTurns(house: House) {
  const settle = (): void => {
    while (house.soon.length > 0) house.turn();
  };
  const { line, wire } = house;
  return { line, wire, settle, lost: () => house.lost, errors: () => house.errors };
}

test('closeWhenAnswered: what is queued never leaves, and its runs know that', async (t) => {
  const { line, wire } = withTurns(new House());
  wire.open();
  busy(line, wire);
  const [behind, diary] = ask(line, 'a', 2);
  const [never] = ask(line, 'b');
  line.closeWhenAnswered('deposed');
  t.equal(line.state, 'open', 'answers are owed');
  const [late] = ask(line, 'c');
  wire.answer(fourAnswers);
  t.equal(line.state, 'closed');
  t.strictSame(wire.written, []);
  t.equal(diary.why, 'deposed');
  t.strictSame(
    [behind, never, late].map(({ unsent }) => unsent),
    [2, 1, 1],
  );
});

test('closeWhenAnswered: at once where nothing that was written is owed, and where nobody can tell', async (t) => {
  const { line, wire } = withTurns(new House());
  line.closeWhenAnswered('deposed');
  t.equal(line.state, 'closed', 'it was opening');
  t.ok(wire.destroyed);
  const raw = new House(true);
  raw.wire.open();
  ask(raw.line, 'MONITOR');
  raw.line.startRaw(() => {});
  raw.line.closeWhenAnswered('deposed');
  t.equal(raw.line.state, 'closed');
});

test('a push that is cut where raw mode begins is not torn, and one cut where it ends neither', async (t) => {
  const { line, wire } = new House(true);
  const pushed: string[] = [];
  line.onPush = (bytes) => pushed.push(Buffer.from(bytes).toString('latin1'));
  wire.open();
  const push = '>2\r\n+invalidate\r\n*1\r\n+k\r\n';
  for (let cut = 1; cut < push.length; cut++) {
    wire.answer(push.slice(0, cut));
    let got = '';
    line.startRaw((chunk) => (got += Buffer.from(chunk).toString('latin1')));
    wire.answer(`${push.slice(cut)}+raw\r\n`);
    t.equal(got, `${push}+raw\r\n`, `cut at ${cut}`);
    line.endRaw(Buffer.from(push.slice(0, cut)));
    wire.answer(push.slice(cut));
    t.strictSame(pushed.splice(0), [push], `cut at ${cut} when it ends`);
    const [, diary] = ask(line, 'a');
    wire.answer('+1\r\n');
    t.equal(diary.bytes, '+1\r\n', 'answers are counted again');
  }
  t.equal(line.state, 'open');
});
