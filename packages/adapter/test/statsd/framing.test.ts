import { test } from 'tap';
import { AnyFramer, LineFramer, PacketFramer } from '../../src/statsd/framing.ts';
import type { Framer, LineSink } from '../../src/statsd/framing.ts';

function sink() {
  const lines: string[] = [];
  const failures: string[] = [];
  const made: LineSink = {
    lines: (bytes, from, to) => {
      for (const line of bytes.toString('utf8', from, to).split('\n')) if (line !== '') lines.push(line);
    },
    failed: (reason) => void failures.push(reason),
  };
  return { sink: made, lines, failures };
}

function packets(...texts: string[]): Buffer {
  return Buffer.concat(
    texts.map((text) => {
      const header = Buffer.alloc(4);
      header.writeUInt32LE(Buffer.byteLength(text));
      return Buffer.concat([header, Buffer.from(text)]);
    }),
  );
}

/** Whole, in two pieces cut at every byte, and byte by byte. */
function everyCut(bytes: Buffer, make: (sink: LineSink) => Framer) {
  const outcome = (pieces: Buffer[]) => {
    const { sink: into, lines, failures } = sink();
    const framer = make(into);
    const goesOn = pieces.every((piece) => framer.push(piece));
    if (goesOn) framer.end();
    return { lines, failures, goesOn };
  };
  const whole = outcome([bytes]);
  const others = Array.from({ length: bytes.length + 1 }, (_, at) =>
    outcome([bytes.subarray(0, at), bytes.subarray(at)]),
  );
  others.push(outcome([...bytes].map((byte) => Buffer.from([byte]))));
  return { whole, others };
}

test('lines, however the stream is cut', (t) => {
  const cases: [string, string[], string[]][] = [
    ['a:1|c\nb:2|c\n\nc:3|c', ['a:1|c', 'b:2|c', 'c:3|c'], []],
    [`a:1|c\n${'x'.repeat(21)}\nb:1|c\n`, ['a:1|c', 'b:1|c'], ['line-too-long']],
    [`${'x'.repeat(50)}\n${'y'.repeat(50)}`, [], ['line-too-long', 'line-too-long']],
    ['', [], []],
    ['a:1|c', ['a:1|c'], []],
  ];
  for (const [text, lines, failures] of cases) {
    const { others } = everyCut(Buffer.from(text), (into) => new LineFramer(into, 20));
    // Whole lines that came in one piece are left to the intake to judge.
    for (const other of others.slice(-1))
      t.same(other, { lines, failures, goesOn: true }, JSON.stringify(text));
    for (const other of others) {
      t.same(
        other.lines.filter((line) => line.length <= 20),
        lines,
      );
      const long = other.lines.length - lines.length + other.failures.length;
      if (long !== failures.length) t.fail(JSON.stringify({ text, other }));
    }
  }
  t.end();
});

test('packets by their length, however the stream is cut', (t) => {
  const good = { failures: [], goesOn: true };
  const many = everyCut(packets('a:1|c\nb:2|c', '', 'c:3|c\n'), (into) => new PacketFramer(into, 100));
  for (const outcome of [many.whole, ...many.others])
    t.same(outcome, { ...good, lines: ['a:1|c', 'b:2|c', 'c:3|c'] });
  const long = everyCut(packets('a:1|c', 'x'.repeat(30), 'b:1|c'), (into) => new PacketFramer(into, 20));
  for (const outcome of [long.whole, ...long.others]) {
    t.same(outcome, { lines: ['a:1|c', 'b:1|c'], failures: ['bad-frame'], goesOn: true });
  }
  const lost = Buffer.concat([packets('a:1|c'), Buffer.from('text')]);
  for (const outcome of [everyCut(lost, (into) => new PacketFramer(into, 20)).whole]) {
    t.same(outcome, { lines: ['a:1|c'], failures: ['bad-frame'], goesOn: false });
  }
  const cut = everyCut(packets('a:1|c').subarray(0, 7), (into) => new PacketFramer(into, 20)).whole;
  t.same(cut, { lines: [], failures: ['bad-frame'], goesOn: true });
  t.end();
});

test('the first four bytes tell packets from lines', (t) => {
  const make = (into: LineSink): Framer => new AnyFramer(into, 100, 100);
  for (const bytes of [
    packets('a:1|c', 'b:1|c'),
    Buffer.from('a:1|c\nb:1|c\n'),
    Buffer.from('a:1|c\nb:1|c'),
  ]) {
    const { whole, others } = everyCut(bytes, make);
    for (const outcome of [whole, ...others])
      t.same(outcome, { lines: ['a:1|c', 'b:1|c'], failures: [], goesOn: true });
  }
  t.same(everyCut(Buffer.from('abc'), make).whole.lines, ['abc'], 'a client that sends less than four');
  t.end();
});
