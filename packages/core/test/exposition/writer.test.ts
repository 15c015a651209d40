import { BlockPool, PageWriter } from '@outrigger/core/exposition';
import { test } from 'tap';

test('a page is whole, wherever blocks end and however long a line is', (t) => {
  const pool = new BlockPool();
  for (const padding of [0, 1, 2, 3, 250_000, 262_120, 262_143, 262_144, 300_000, 1_000_000]) {
    const out = new PageWriter(pool);
    const source = Buffer.from('é'.repeat(padding));
    out.bytes(source, 0, source.length);
    out.text(`${'😀'.repeat(padding)} `);
    for (let i = 0; i < 5000; i++) out.line(i * 7919);
    out.line(-1.5);
    out.line(Number.NEGATIVE_INFINITY);
    const lines = Array.from({ length: 5000 }, (_, i) => `${i * 7919}\n`).join('');
    const expected = `${'é'.repeat(padding)}${'😀'.repeat(padding)} ${lines}-1.5\n-Inf\n`;
    const { length } = out;
    const page = Buffer.concat(out.finish());
    t.equal(length, page.length);
    t.ok(page.toString('utf8') === expected, `padding ${padding}`);
    out.release();
  }
  t.end();
});

test('numbers of every size read back as they were', (t) => {
  const values = [
    0,
    1,
    9,
    10,
    99,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 53,
    0.1,
    1e21,
    1e-7,
    -0,
    -7,
    5e-324,
    1.7976931348623157e308,
  ];
  const out = new PageWriter(new BlockPool());
  for (const value of values) out.line(value);
  const read = Buffer.concat(out.finish()).toString('utf8').trimEnd().split('\n').map(Number);
  t.strictSame(
    read,
    values.map((value) => value + 0),
  );
  t.end();
});
