import { LineSplitter } from '../../../src/watch/transport/lines.ts';
import { test } from 'tap';

const text = '{"type":"ADDED","object":{"name":"größe ☃"}}\n\n{"type":"DELETED"}\r\n{"a":1}\n';
const expected = ['{"type":"ADDED","object":{"name":"größe ☃"}}', '{"type":"DELETED"}\r', '{"a":1}'];
const bytes = Buffer.from(text);

test('whole, and cut in two at every byte, gives the same lines', (t) => {
  t.same(new LineSplitter(1000).push(bytes), expected);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const splitter = new LineSplitter(1000);
    const lines = [...splitter.push(bytes.subarray(0, cut)), ...splitter.push(bytes.subarray(cut))];
    t.same(lines, expected, `cut at ${cut}`);
    t.equal(splitter.unfinished, 0);
  }
  t.end();
});

test('byte by byte', (t) => {
  const splitter = new LineSplitter(1000);
  const lines = [...bytes].flatMap((_, i) => splitter.push(bytes.subarray(i, i + 1)));
  t.same(lines, expected);
  t.end();
});

test('says how much of a line is missing its end', (t) => {
  const splitter = new LineSplitter(100);
  splitter.push(Buffer.from('{"a":'));
  t.equal(splitter.unfinished, 5);
  t.same(splitter.push(Buffer.from('1}\n')), ['{"a":1}']);
  t.equal(splitter.unfinished, 0);
  t.end();
});

test('a line beyond the limit is refused, complete or not', (t) => {
  t.same(new LineSplitter(5).push(Buffer.from('12345\n')), ['12345']);
  t.throws(() => new LineSplitter(5).push(Buffer.from('123456\n')), { code: 'WATCH_LINE_TOO_LONG' });
  const splitter = new LineSplitter(5);
  splitter.push(Buffer.from('123'));
  t.throws(() => splitter.push(Buffer.from('456')), { code: 'WATCH_LINE_TOO_LONG' });
  t.end();
});

test('a long line in small chunks costs time in proportion to its length', (t) => {
  const cost = (chunks: number): number => {
    const splitter = new LineSplitter(1 << 30);
    const chunk = Buffer.alloc(64, 'x');
    const from = process.cpuUsage();
    for (let i = 0; i < chunks; i++) splitter.push(chunk);
    t.equal(splitter.push(Buffer.from('\n'))[0]?.length, chunks * 64);
    const { user, system } = process.cpuUsage(from);
    return user + system;
  };
  cost(20_000);
  const small = Math.max(cost(20_000), 1_000);
  // Eight times the length: quadratic would be sixty-four times the cost.
  t.ok(cost(160_000) < small * 32);
  t.end();
});
