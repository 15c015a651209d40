import { test } from 'tap';
import { seededRandom } from '@outrigger/core/clock';
import { decodeRequest } from '@outrigger/core/resp';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { slotOf } from '../../src/commands/slot.ts';
import { crossSlot, join, plan } from '../../src/locals/gather.ts';
import type { Gather } from '../../src/locals/gather.ts';
import { Wire } from './wire.ts';

const seed = Number(process.env['PROGRAM_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const args = (...words: readonly string[]): Buffer[] => words.map((one) => Buffer.from(one));
const replies = (...texts: readonly string[]): Buffer[] => texts.map((one) => Buffer.from(one));
const joined = (words: readonly string[], ...texts: readonly string[]): string => {
  const gather = plan(args(...words), byFirstByte, true);
  if (gather === undefined) throw new Error('one slot only');
  return Buffer.from(join(gather, replies(...texts))).toString();
};

/** A slot for each first letter, so that a test can be read. */
function byFirstByte(key: Uint8Array): number {
  return key[0] ?? 0;
}

function sent(request: Uint8Array): string {
  return decodeRequest(request).map(String).join(' ');
}

test('a part for each slot, its keys in order', async (t) => {
  const gather = plan(args('mget', 'a1', 'b1', 'a2', 'c1', 'b1', 'a1'), byFirstByte);
  t.strictSame(
    gather?.parts.map((part) => [part.slot, sent(part.request), part.keys]),
    [
      [0x61, 'mget a1 a2 a1', [0, 2, 5]],
      [0x62, 'mget b1 b1', [1, 4]],
      [0x63, 'mget c1', [3]],
    ],
  );
  t.equal(gather?.joined, 'values');
  t.equal(gather?.keys, 6);
});

test('keys and values of MSET stay together, where it may be split', async (t) => {
  const words = args('MSET', 'a1', '1', 'b1', '2', 'a1', '3');
  t.equal(plan(words, byFirstByte), undefined, 'it promises to be one moment');
  const gather = plan(words, byFirstByte, true);
  t.strictSame(
    gather?.parts.map((part) => sent(part.request)),
    ['MSET a1 1 a1 3', 'MSET b1 2'],
  );
  t.equal(gather && Buffer.from(join(gather, replies('+OK\r\n', '+OK\r\n'))).toString(), '+OK\r\n');
});

test('what is sent as it is', async (t) => {
  const whole = [
    ['MGET', 'a1', 'a2'],
    ['MGET', 'a1'],
    ['MGET'],
    ['DEL'],
    ['GET', 'a1', 'b1'],
    ['SINTER', 'a1', 'b1'],
    ['MSETNX', 'a1', '1', 'b1', '2'],
    ['MSET', 'a1', '1', 'b1'],
    [],
  ];
  for (const words of whole) t.equal(plan(args(...words), byFirstByte, true), undefined, words.join(' '));
  t.equal(Buffer.from(crossSlot).toString(), "-CROSSSLOT Keys in request don't hash to the same slot\r\n");
});

test('values come in the order of the keys, as they stand', async (t) => {
  const words = ['MGET', 'a1', 'b1', 'a2', 'c1'];
  t.equal(
    joined(words, '*2\r\n$3\r\nx\r\n\r\n$-1\r\n', '*1\r\n$0\r\n\r\n', '*1\r\n_\r\n'),
    '*4\r\n$3\r\nx\r\n\r\n$0\r\n\r\n$-1\r\n_\r\n',
  );
});

test('counts are added up', async (t) => {
  for (const name of ['DEL', 'UNLINK', 'EXISTS', 'touch']) {
    t.equal(joined([name, 'a1', 'b1', 'a1'], ':2\r\n', ':1\r\n'), ':3\r\n', name);
  }
});

test('an error wins, the first one', async (t) => {
  const words = ['DEL', 'a', 'b', 'c'];
  t.equal(joined(words, ':1\r\n', '-READONLY x\r\n', '-LOADING y\r\n'), '-READONLY x\r\n');
  t.equal(joined(words, ':1\r\n', '!5\r\nERR x\r\n', ':1\r\n'), '!5\r\nERR x\r\n');
});

test('a server that answers something else gets nothing passed on', async (t) => {
  const sums = ['+OK\r\n', ':x\r\n', '$1\r\n1\r\n', '', '*1\r\n:1\r\n'];
  for (const odd of sums) {
    t.match(joined(['DEL', 'a', 'b'], odd, ':1\r\n'), /^-OUTRIGGER unexpected reply: .*\r\n$/, odd);
  }
  const lists = [
    '*2\r\n$1\r\nx\r\n$1\r\ny\r\n',
    '*1\r\n:1\r\n',
    '*1\r\n*1\r\n$1\r\nx\r\n',
    ':1\r\n',
    '*1\r\n$9\r\nx\r\n',
    '*-1\r\n',
  ];
  for (const odd of lists) {
    t.match(joined(['MGET', 'a', 'b'], odd, '*1\r\n$1\r\ny\r\n'), /^-OUTRIGGER unexpected reply/, odd);
  }
});

test(
  `split and joined is what one Redis answers (PROGRAM_SEED=${seed})`,
  needs('redis-server', 'redis-cli'),
  async (t) => {
    const server = await startRedis(t);
    const parted = await Wire.open(t, server.port);
    const whole = await Wire.open(t, server.port);
    // A database of its own, so that both begin with the same data and change their own.
    await whole.say('SELECT', 1);
    const random = seededRandom(seed);
    const below = (n: number): number => Math.floor(random.next() * n);
    let split = 0;
    for (let round = 0; round < 300; round++) {
      if (round === 150) for (const wire of [parted, whole]) await wire.say('HELLO', 3);
      const name = ['MGET', 'DEL', 'UNLINK', 'EXISTS', 'TOUCH', 'MSET', 'MSET', 'MSET'][below(8)] as string;
      const keys = Array.from({ length: 1 + below(12) }, () => `k${below(20)}`);
      const words = [name, ...keys.flatMap((key) => (name === 'MSET' ? [key, `v\r\n${round}`] : [key]))];
      const gather = plan(args(...words), slotOf, true);
      const got = gather === undefined ? await parted.say(...words) : await answerOf(parted, gather);
      t.equal(got, await whole.say(...words), words.join(' '));
      if (gather !== undefined) split++;
    }
    t.ok(split > 150, `${split} of 300 were split`);
  },
);

async function answerOf(wire: Wire, gather: Gather): Promise<string> {
  const parts: Buffer[] = [];
  for (const part of gather.parts) parts.push(await wire.ask(part.request));
  return Buffer.from(join(gather, parts)).toString('latin1');
}
