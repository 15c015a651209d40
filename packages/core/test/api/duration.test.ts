import { durationMs, formatDuration, humanDuration, parseDuration } from '@outrigger/core/api';
import { test } from 'tap';

const parsed: Record<string, number> = {
  '0': 0,
  '0s': 0,
  '250ms': 250,
  '30s': 30_000,
  '1.5s': 1_500,
  '.5s': 500,
  '1.s': 1_000,
  '5m': 300_000,
  '1h30m': 5_400_000,
  '1h1m1s1ms': 3_661_001,
  '10us': 0.01,
  '10µs': 0.01,
  '1000000ns': 1,
};

test('durations are read as Go writes them', (t) => {
  for (const [text, ms] of Object.entries(parsed)) t.equal(parseDuration(text), ms, text);
  t.end();
});

test('everything else is no duration', (t) => {
  for (const text of [
    '',
    '1',
    's',
    '-1s',
    '+1s',
    '1 s',
    '1S',
    '1d',
    '1s ',
    '1s2',
    '1..s',
    '.s',
    'PT1S',
    '1e3s',
    '1s'.repeat(40),
  ]) {
    t.equal(parseDuration(text), undefined, JSON.stringify(text));
  }
  t.end();
});

test('a duration that validation let through is milliseconds, another one names its field', (t) => {
  t.equal(durationMs('1s', 'spec.maxLag'), 1_000);
  t.throws(() => durationMs('soon', 'spec.maxLag'), { code: 'API_BAD_DURATION', target: 'spec.maxLag' });
  t.end();
});

test('formatting gives whole units that parse to the same', (t) => {
  const formatted: Record<number, string> = {
    0: '0s',
    0.2: '0s',
    1: '1ms',
    1_500: '1s500ms',
    30_000: '30s',
    5_400_000: '1h30m',
    90_061_001: '25h1m1s1ms',
  };
  for (const [ms, text] of Object.entries(formatted)) {
    t.equal(formatDuration(Number(ms)), text);
    if (Number(ms) >= 1) t.equal(parseDuration(text), Number(ms));
  }
  t.end();
});

test('ages are what kubectl prints', (t) => {
  const second = 1_000;
  const minute = 60 * second;
  const hour = 60 * minute;
  const day = 24 * hour;
  const ages: [number, string][] = [
    [-5 * second, '<invalid>'],
    [-1 * second, '0s'],
    [-1, '0s'],
    [0, '0s'],
    [999, '0s'],
    [119 * second, '119s'],
    [120 * second, '2m'],
    [125 * second, '2m5s'],
    [10 * minute, '10m'],
    [10 * minute + 5 * second, '10m'],
    [179 * minute, '179m'],
    [180 * minute, '3h'],
    [3 * hour + 30 * minute, '3h30m'],
    [8 * hour + 30 * minute, '8h'],
    [47 * hour, '47h'],
    [48 * hour, '2d'],
    [2 * day + 4 * hour, '2d4h'],
    [8 * day + 4 * hour, '8d'],
    [400 * day, '400d'],
    [2 * 365 * day, '2y'],
    [2 * 365 * day + 5 * day, '2y5d'],
    [9 * 365 * day + 5 * day, '9y'],
  ];
  for (const [ms, text] of ages) t.equal(humanDuration(ms), text);
  t.end();
});
