import { formatMicroTime, formatTime, parseTime } from '@outrigger/core/api';
import { test } from 'tap';

const at = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

test('timestamps are in UTC, to the second or the microsecond', (t) => {
  t.equal(formatTime(at), '2026-01-02T03:04:05Z');
  t.equal(formatMicroTime(at), '2026-01-02T03:04:05.678000Z');
  t.equal(formatMicroTime(at + 0.25), '2026-01-02T03:04:05.678250Z');
  t.equal(formatMicroTime(at + 0.9997), '2026-01-02T03:04:05.678999Z');
  t.end();
});

test('RFC 3339 is read in all its forms', (t) => {
  t.equal(parseTime('2026-01-02T03:04:05.678Z'), at);
  t.equal(parseTime('2026-01-02T03:04:05.678000Z'), at);
  t.equal(parseTime('2026-01-02t03:04:05.678z'), at);
  t.equal(parseTime('2026-01-02T05:04:05.678+02:00'), at);
  for (const text of [
    '',
    'now',
    '2026-01-02',
    '2026-01-02 03:04:05Z',
    '2026-01-02T03:04:05',
    '2026-13-02T03:04:05Z',
  ]) {
    t.equal(parseTime(text), undefined, JSON.stringify(text));
  }
  t.end();
});
