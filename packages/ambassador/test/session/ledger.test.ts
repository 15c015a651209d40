import { test } from 'tap';
import { Ledger } from '../../src/session/ledger.ts';
import { Sent } from '../../src/session/sent.ts';
import type { Realm, Shard } from '../../src/topology/realm.ts';
import { Line } from '../../src/upstream/line.ts';
import { nobody } from '../../src/upstream/run.ts';
import type { RunOwner } from '../../src/upstream/run.ts';
import { FakeWires, identity, server } from '../upstream/fake-wire.ts';
import { command } from './setting.ts';

const wires = new FakeWires();
const owner: RunOwner = { answered: () => {}, rejected: () => {}, lost: () => {} };

function newLine(): Line {
  const options = { server, identity, exclusive: false, readonly: false, evenBusy: false, maxDepth: 128 };
  const { openWire } = wires;
  return new Line({
    ...options,
    openWire,
    soon: () => {},
    now: () => 0,
    onLost: () => {},
    onErrorReply: () => {},
  });
}

class House {
  out = '';
  readonly done: Sent[] = [];
  readonly ledger = new Ledger(
    (bytes) => (this.out += Buffer.from(bytes).toString('latin1')),
    (run) => this.done.push(run),
  );

  /** A run of one request for each word, sent in as many slices as there are words. */
  run(line: Line, ...words: string[]): Sent {
    return this.runOf({} as Shard, line, ...words);
  }

  runOf(shard: Shard, line: Line, ...words: string[]): Sent {
    const run = new Sent(owner, line, 'primary', {} as Realm, shard);
    this.ledger.add(run);
    for (const word of words) this.ledger.sent(run, 1, Buffer.from(command('GET', word)));
    run.count = words.length;
    return run;
  }

  answer(run: Sent, text: string, answers = 1): void {
    run.answered += answers;
    this.ledger.deliver(run, Buffer.from(text), answers);
  }
}

const text = (taken: readonly Uint8Array[]): string => Buffer.concat(taken).toString('latin1');

test('answers of several lines come in the order of the requests', async (t) => {
  const house = new House();
  const { ledger } = house;
  const [a, b] = [newLine(), newLine()];
  const [one, two, three] = [house.run(a, 'x', 'y'), house.run(b, 'z'), house.run(a, 'w')];
  t.equal(ledger.unanswered, 4);
  t.strictSame([ledger.onlyAt(a), ledger.last === three], [false, true]);
  house.answer(three, '+w');
  house.answer(two, '+z');
  t.strictSame([house.out, ledger.waitingBytes], ['', 4]);
  house.answer(one, '+x');
  t.equal(house.out, '+x', 'the oldest gives its answers as they come');
  house.answer(one, '+y');
  t.equal(house.out, '+x+y+z+w');
  t.strictSame([ledger.empty, ledger.unanswered, ledger.keptBytes, ledger.waitingBytes], [true, 0, 0, 0]);
});

test('who owes what of a shard', async (t) => {
  const house = new House();
  const { ledger } = house;
  const [a, b] = [newLine(), newLine()];
  const [one, two] = [{} as Shard, {} as Shard];
  house.runOf(two, b, 'z');
  t.strictSame([ledger.onlyAt(a), ledger.onlyAt(a, one), ledger.onlyAt(a, two)], [false, true, false]);
  const other = house.runOf(one, b, 'x');
  t.notOk(ledger.onlyAt(a, one));
  house.answer(other, '+x');
  t.ok(ledger.onlyAt(a, one), 'what has been answered is owed no more, though the client waits for it');
});

test('the next run gives what it has when it becomes the oldest, the rest as it comes', async (t) => {
  const house = new House();
  const [one, two] = [house.run(newLine(), 'x'), house.run(newLine(), 'y', 'z')];
  house.answer(two, '$5\r\nab', 0);
  house.answer(one, '+x');
  t.equal(house.out, '+x$5\r\nab');
  house.answer(two, 'cde\r\n+z', 2);
  t.equal(house.out, '+x$5\r\nabcde\r\n+z');
  t.ok(house.ledger.empty);
});

test('a muted run is counted, and not heard', async (t) => {
  const house = new House();
  const [one, two] = [house.run(newLine(), 'x'), house.run(newLine(), 'y')];
  two.mute = true;
  house.answer(two, '+y');
  house.answer(one, '+x');
  t.strictSame([house.out, house.ledger.empty], ['+x', true]);
});

test('only reads are owed as long as no run may change anything', async (t) => {
  const house = new House();
  const run = house.run(newLine(), 'x');
  t.ok(house.ledger.onlyReads);
  run.lastMutating = 1;
  t.notOk(house.ledger.onlyReads);
  t.ok(run.mutatesFrom(0));
  t.notOk(run.mutatesFrom(1));
});

test('taken back from the middle of a run on: with all that is younger, and in order', async (t) => {
  const house = new House();
  const { ledger } = house;
  const [one, two] = [house.run(newLine(), 'a', 'b', 'c'), house.run(newLine(), 'd')];
  house.answer(two, '+d');
  house.answer(one, '+a');
  t.equal(text(ledger.takeFrom(one, 1)), command('GET', 'b') + command('GET', 'c') + command('GET', 'd'));
  t.strictSame([one.owner, two.owner], [nobody, nobody], 'what still comes is for nobody');
  t.strictSame(
    [house.out, ledger.empty, ledger.unanswered, ledger.keptBytes, ledger.waitingBytes],
    ['+a', true, 0, 0, 0],
  );
});

test('what has been taken back once is not taken a second time', async (t) => {
  const house = new House();
  const { ledger } = house;
  const [one, two] = [house.run(newLine(), 'a'), house.run(newLine(), 'b', 'c', 'd')];
  house.answer(two, '+b');
  t.equal(text(ledger.takeFrom(two, 1)), command('GET', 'c') + command('GET', 'd'));
  t.equal(ledger.keptBytes, command('GET', 'a').length * 2, 'an answer of it waits for the older run');
  const again = house.run(newLine(), 'c', 'd');
  t.equal(text(ledger.takeFrom(one, 0)), ['a', 'b', 'c', 'd'].map((word) => command('GET', word)).join(''));
  t.equal(again.owner, nobody);
  t.strictSame([ledger.empty, ledger.unanswered, ledger.keptBytes, ledger.waitingBytes], [true, 0, 0, 0]);
});

test('what is left of a cut run comes in its turn', async (t) => {
  const house = new House();
  const [one, two] = [house.run(newLine(), 'a'), house.run(newLine(), 'b', 'c')];
  house.answer(two, '+b');
  house.ledger.takeFrom(two, 1);
  const three = house.run(newLine(), 'c');
  house.answer(three, '+c');
  house.answer(one, '+a');
  t.strictSame([house.out, house.ledger.empty], ['+a+b+c', true]);
});

test('a client that is gone is owed nothing', async (t) => {
  const house = new House();
  const run = house.run(newLine(), 'a');
  house.ledger.forget();
  t.strictSame([run.owner, house.ledger.empty, house.ledger.keptBytes], [nobody, true, 0]);
});

test('what is too large to keep is counted, and marked', async (t) => {
  const house = new House();
  const run = house.run(newLine());
  house.ledger.sent(run, 1, undefined);
  house.ledger.sent(run, 0, undefined);
  t.strictSame([run.expected, run.streamed, house.ledger.keptBytes], [1, true, 0]);
  t.equal(text(house.ledger.takeFrom(run, 0)), '');
  t.ok(house.ledger.empty);
});

test('a run is done when all of it and of those before it is answered', async (t) => {
  const house = new House();
  const line = newLine();
  const [one, two] = [house.run(line, 'x', 'y'), house.run(line, 'z')];
  house.answer(two, '+z');
  house.answer(one, '+x');
  t.strictSame(house.done, []);
  house.answer(one, '+y');
  t.strictSame(house.done, [one, two]);
  house.run(line, 'w');
  house.ledger.forget();
  t.strictSame(house.done, [one, two], 'what is forgotten may still wait to leave');
});

test('what is taken back is a copy: the bytes themselves may still wait to leave, and never come back as done', async (t) => {
  const house = new House();
  const line = newLine();
  const runs = [house.run(line, 'x', 'y'), house.run(line, 'z')];
  const own = runs.flatMap(({ bytes }) => [...bytes]);
  const taken = house.ledger.takeFrom(runs[0] as Sent, 0);
  t.equal(text(taken), command('GET', 'x') + command('GET', 'y') + command('GET', 'z'));
  for (const bytes of own) bytes.fill(0x2a);
  t.equal(text(taken), command('GET', 'x') + command('GET', 'y') + command('GET', 'z'));
});
