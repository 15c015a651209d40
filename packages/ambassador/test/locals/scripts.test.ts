import { createHash } from 'node:crypto';
import { test } from 'tap';
import { decodeRequest } from '@outrigger/core/resp';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { ScriptBook } from '../../src/locals/scripts.ts';

const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex');
const args = (...words: readonly string[]): Buffer[] => words.map((one) => Buffer.from(one));
const loaded = (request: Uint8Array | undefined): string[] | undefined =>
  request && decodeRequest(request).map(String);

test('a body shown by EVAL or SCRIPT LOAD can be loaded elsewhere', async (t) => {
  const book = new ScriptBook();
  for (const name of ['EVAL', 'eval_ro']) {
    const body = `return '${name}'`;
    const script = book.scriptOf(args(name, body, '0'));
    t.equal(script?.sha, sha1(body));
    t.strictSame(loaded(book.load(sha1(body))), ['SCRIPT', 'LOAD', body]);
  }
  book.scriptOf(args('script', 'load', 'return 3'));
  const asked = book.scriptOf(args('EVALSHA', sha1('return 3').toUpperCase(), '0'));
  t.equal(asked?.sha, sha1('return 3'), 'as Redis, case does not matter');
  t.equal(asked?.body?.toString(), 'return 3');
  t.ok(book.load(sha1('return 3').toUpperCase()));
  t.equal(book.scriptOf(args('EVALSHA_RO', sha1('never'), '0'))?.body, undefined);
  t.equal(book.load(sha1('never')), undefined);
  const before = book.learned;
  book.learn(Buffer.from('return 4'));
  t.equal(book.load(sha1('return 4'), before), undefined, 'who asked before cannot have meant it');
  t.ok(book.load(sha1('return 4'), book.learned));
});

test('what runs no script is none', async (t) => {
  const book = new ScriptBook();
  const others = [
    ['GET', 'k'],
    ['SCRIPT', 'FLUSH'],
    ['SCRIPT'],
    ['EVAL'],
    ['EVALSHA'],
    ['FCALL', 'f', '0'],
    [],
  ];
  for (const words of others) t.equal(book.scriptOf(args(...words)), undefined, words.join(' '));
  t.equal(book.size, 0);
});

test('bodies of one length are told apart, and come back after each other', async (t) => {
  const book = new ScriptBook();
  for (const body of ['return 1', 'return 2', 'return 1', 'return 1', 'return 2']) {
    t.equal(book.learn(Buffer.from(body)), sha1(body));
  }
  t.equal(book.size, 2);
});

test('a body is kept as it was shown, whatever becomes of the bytes it came in', async (t) => {
  const book = new ScriptBook();
  const chunk = Buffer.from('return 1');
  const sha = book.learn(chunk);
  chunk.fill(0x78);
  t.strictSame(loaded(book.load(sha)), ['SCRIPT', 'LOAD', 'return 1']);
  t.not(book.learn(chunk), sha, 'and the new bytes are another script');
});

test('the least recently used make room, by bytes', async (t) => {
  const body = (i: number): string => `return '${String(i).padStart(1000, '0')}'`;
  const book = new ScriptBook(5000);
  for (let i = 0; i < 3; i++) book.learn(Buffer.from(body(i)));
  const before = book.bytes;
  t.ok(before > 3000 && before <= 5000);
  book.load(sha1(body(0)));
  book.learn(Buffer.from(body(3)));
  t.equal(book.load(sha1(body(1))), undefined, 'nobody had asked for it since');
  t.ok(book.load(sha1(body(0))), 'this one was wanted');
  t.equal(book.bytes, before);
  t.equal(book.evicted, 1);
  t.equal(book.learn(Buffer.from(body(1))), sha1(body(1)), 'it can be shown again');
});

test('a body beyond the limit is not kept, and makes nothing go', async (t) => {
  const book = new ScriptBook(5000);
  book.learn(Buffer.from('return 1'));
  t.equal(book.learn(Buffer.alloc(5000, 'a')), sha1('a'.repeat(5000)));
  t.equal(book.size, 1);
  t.equal(book.evicted, 1);
});

test('a flood of tiny scripts stays within the limit', async (t) => {
  const book = new ScriptBook(100_000);
  for (let i = 0; i < 10_000; i++) book.learn(Buffer.from(`return ${i}`));
  t.ok(book.size < 400, `${book.size} are kept`);
  t.ok(book.bytes <= 100_000);
  t.equal(book.size + book.evicted, 10_000);
});

test('a script that declares no writes is known as long as it is kept', async (t) => {
  const reader = '#!lua flags=no-writes\nreturn 1';
  const book = new ScriptBook(1_000);
  const sha = Buffer.from(book.learn(Buffer.from(reader)));
  t.ok(book.reads(sha));
  t.ok(book.reads(Buffer.from(sha.toString().toUpperCase())));
  t.notOk(book.reads(Buffer.from(book.learn(Buffer.from('return 1')))));
  t.notOk(book.reads(undefined));
  t.notOk(book.reads(Buffer.from('f'.repeat(40))), 'nobody has shown it');
  book.learn(Buffer.alloc(700, ' '));
  t.notOk(book.reads(sha), 'it had to make room');
  book.learn(Buffer.from(reader));
  t.ok(book.reads(sha));
  book.flush();
  t.notOk(book.reads(sha));
});

test('SCRIPT FLUSH forgets', async (t) => {
  const book = new ScriptBook();
  const sha = book.learn(Buffer.from('return 1'));
  book.flush();
  t.equal(book.load(sha), undefined);
  t.equal(book.bytes, 0);
  t.equal(book.learn(Buffer.from('return 1')), sha);
  t.equal(book.size, 1);
});

test("the name given to a body is the server's own", needs('redis-server', 'redis-cli'), async (t) => {
  const server = await startRedis(t);
  const body = 'return {1, "two", ARGV[1]}';
  t.equal(await server.cli('SCRIPT', 'LOAD', body), new ScriptBook().learn(Buffer.from(body)));
});
