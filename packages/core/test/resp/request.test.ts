import { test } from 'tap';
import { encodeCommand, RequestScanner } from '@outrigger/core/resp';
import type { RespLimits } from '@outrigger/core/resp';
import { cuts, outcome, scanRequests } from './fixtures.ts';

const sound: readonly [title: string, bytes: string, frames: readonly [what: string, end: number][]][] = [
  ['a name alone', '*1\r\n$4\r\nPING\r\n', [['PING/1', 14]]],
  ['lower case', '*2\r\n$3\r\nget\r\n$1\r\nk\r\n', [['GET/2', 20]]],
  ['empty arguments', '*3\r\n$3\r\nSET\r\n$0\r\n\r\n$0\r\n\r\n', [['SET/3', 25]]],
  ['an empty name', '*1\r\n$0\r\n\r\n', [['/1', 10]]],
  ['line ends inside a value', '*2\r\n$4\r\nECHO\r\n$6\r\n\r\n*1\r\n\r\n', [['ECHO/2', 26]]],
  ['a pipeline', '*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nQUIT\r\n', [['PING/1', 14], ['QUIT/1', 28]]], // prettier-ignore
  ['empty and null arrays', '*0\r\n*-1\r\n*1\r\n$4\r\nPING\r\n', [['/0', 4], ['/0', 9], ['PING/1', 23]]], // prettier-ignore
  ['a line', 'PING\r\n', [['PING/1 inline', 6]]],
  ['a line ended by LF alone', 'set a b\n', [['SET/1 inline', 8]]],
  ['blanks around words', ' \t get  k \r\n', [['GET/1 inline', 12]]],
  ['empty lines', '\r\n\n  \r\nPING\r\n', [['/0 inline', 2], ['/0 inline', 3], ['/0 inline', 7], ['PING/1 inline', 13]]], // prettier-ignore
  ['a line, then an array', 'PING\r\n*1\r\n$4\r\nPING\r\n', [['PING/1 inline', 6], ['PING/1', 20]]], // prettier-ignore
  ['a name longer than any command', `*1\r\n$33\r\n${'x'.repeat(33)}\r\n`, [['(long)/1', 44]]],
  ['the longest name kept', `*1\r\n$32\r\n${'x'.repeat(32)}\r\n`, [[`${'X'.repeat(32)}/1`, 43]]],
  ['a long first word of a line', `${'y'.repeat(40)} z\r\n`, [['(long)/1 inline', 44]]],
  ['half a request', '*2\r\n$3\r\nGET\r\n$1', [['unfinished', 15]]],
];

test('requests, whole and cut at every byte', async (t) => {
  for (const [title, text, expected] of sound) {
    const bytes = Buffer.from(text, 'latin1');
    const frames = expected.map(([what, end]) => ({ what, end }));
    for (const chunks of cuts(bytes)) {
      t.strictSame(scanRequests(chunks), frames, `${title}, cut ${chunks.map((c) => c.length).join('+')}`);
    }
  }
});

const broken: readonly [title: string, bytes: string, code: string, limits?: Partial<RespLimits>][] = [
  ['a count that is no number', '*x\r\n', 'RESP_MALFORMED'],
  ['a count with a plus', '*+1\r\n', 'RESP_MALFORMED'],
  ['a count with a leading zero', '*01\r\n', 'RESP_MALFORMED'],
  ['a count with a blank', '* 1\r\n', 'RESP_MALFORMED'],
  ['no count', '*\r\n', 'RESP_MALFORMED'],
  ['a count of -2', '*-2\r\n', 'RESP_MALFORMED'],
  ['a count of --1', '*--1\r\n', 'RESP_MALFORMED'],
  ['a count of -0', '*-0\r\n', 'RESP_MALFORMED'],
  ['a count beyond exact numbers', '*9999999999999\r\n', 'RESP_MALFORMED'],
  ['LF instead of CRLF behind the count', '*1\n$4\r\nPING\r\n', 'RESP_MALFORMED'],
  ['CR CR behind the count', '*1\r\r', 'RESP_MALFORMED'],
  ['an argument that is no string', '*1\r\n:4\r\n', 'RESP_MALFORMED'],
  ['a negative length', '*1\r\n$-1\r\n', 'RESP_MALFORMED'],
  ['a null argument behind the name', '*2\r\n$3\r\nGET\r\n$-1\r\n', 'RESP_MALFORMED'],
  ['a length that is no number', '*1\r\n$4a\r\n', 'RESP_MALFORMED'],
  ['LF missing behind a length', '*1\r\n$4\rPING\r\n', 'RESP_MALFORMED'],
  ['a value longer than said', '*1\r\n$4\r\nPINGS\r\n', 'RESP_MALFORMED'],
  ['a value ended by LF alone', '*1\r\n$4\r\nPING\n\n', 'RESP_MALFORMED'],
  ['a value ended by CR CR', '*1\r\n$4\r\nPING\r\r', 'RESP_MALFORMED'],
  ['too many arguments', '*3\r\n', 'RESP_LIMIT', { maxArguments: 2 }],
  ['a value too long', '*1\r\n$9\r\n', 'RESP_LIMIT', { maxBulkBytes: 8 }],
  ['a line too long', 'PING 1234\r\n', 'RESP_LIMIT', { maxInlineBytes: 8 }],
];

test('what is no request is refused alike however it is cut', async (t) => {
  for (const [title, text, code, limits = {}] of broken) {
    const bytes = Buffer.from(text, 'latin1');
    const limit = Object.keys(limits)[0];
    for (const chunks of cuts(bytes)) {
      t.strictSame(
        outcome(() => scanRequests(chunks, limits)),
        { code, limit },
        title,
      );
    }
  }
});

test('limits hold what they allow', async (t) => {
  t.strictSame(scanRequests([encodeCommand(['GET', '12345678'])], { maxArguments: 2, maxBulkBytes: 8 }), [
    { what: 'GET/2', end: 27 },
  ]);
  t.strictSame(scanRequests([Buffer.from('PING 12\n')], { maxInlineBytes: 8 }), [{ what: 'PING/1 inline', end: 8 }]); // prettier-ignore
});

test('a large value fed a byte at a time costs time in proportion, not its square', async (t) => {
  const bytes = encodeCommand(['SET', 'key', Buffer.alloc(1 << 20, 'x')]);
  const started = performance.now();
  const frames = scanRequests(Array.from(bytes, (_, i) => bytes.subarray(i, i + 1)));
  const took = performance.now() - started;
  t.strictSame(frames, [{ what: 'SET/3', end: bytes.length }]);
  // Re-scanning would touch 5·10^11 bytes: minutes. A pass takes a few hundred milliseconds even on a busy machine.
  t.ok(took < 10_000, `took ${Math.round(took)} ms`);
});

test('how much of a string is missing is known as soon as its length is', async (t) => {
  const head = Buffer.from('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\n');
  const scanner = new RequestScanner();
  const missing: number[] = [];
  for (const byte of Buffer.concat([head, Buffer.from('abcde\r\n')])) {
    const chunk = Buffer.of(byte);
    for (let at = 0; at < 1; at = scanner.offset) scanner.next(chunk, at);
    missing.push(scanner.missing);
  }
  t.strictSame(missing.slice(head.length - 1), [5, 4, 3, 2, 1, 0, 0, 0]);
  t.strictSame(missing.slice(0, 13), Array(13).fill(0), 'a name is short');
});
