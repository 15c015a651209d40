import { formatSize, parseSize, sizeBytes } from '@outrigger/core/api';
import { test } from 'tap';

test('sizes are bytes with decimal or binary units', (t) => {
  const sizes: Record<string, number> = {
    '0': 0,
    '65536': 65_536,
    '10B': 10,
    '1kB': 1_000,
    '1KB': 1_000,
    '64KiB': 65_536,
    '64Ki': 65_536,
    '1.5MiB': 1_572_864,
    '10MB': 10_000_000,
    '1GiB': 2 ** 30,
    '2TiB': 2 ** 41,
  };
  for (const [text, bytes] of Object.entries(sizes)) t.equal(parseSize(text), bytes, text);
  t.end();
});

test('everything else is no size', (t) => {
  for (const text of [
    '',
    'B',
    '-1',
    '1 KiB',
    '1kb',
    '1XB',
    '0.3B',
    '1e3',
    '99999999999999999',
    '9999999TiB',
    '1KiBB',
  ]) {
    t.equal(parseSize(text), undefined, JSON.stringify(text));
  }
  t.end();
});

test('a size that validation let through is bytes, another one names its field', (t) => {
  t.equal(sizeBytes('1KiB', 'spec.maxBulk'), 1_024);
  t.throws(() => sizeBytes('big', 'spec.maxBulk'), { code: 'API_BAD_SIZE', target: 'spec.maxBulk' });
  t.end();
});

test('formatting takes the largest binary unit that divides', (t) => {
  const formatted: Record<number, string> = {
    0: '0B',
    1_500: '1500B',
    1_024: '1KiB',
    65_536: '64KiB',
    [3 * 2 ** 20]: '3MiB',
    [2 ** 40]: '1TiB',
  };
  for (const [bytes, text] of Object.entries(formatted)) {
    t.equal(formatSize(Number(bytes)), text);
    t.equal(parseSize(text), Number(bytes));
  }
  t.end();
});
