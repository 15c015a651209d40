import { test } from 'tap';
import type { RespLimits } from '@outrigger/core/resp';
import { cuts, outcome, scanReplies } from './fixtures.ts';

const reply = (end: number): { what: string; end: number } => ({ what: 'reply', end });

const sound: readonly [title: string, bytes: string, ...ends: number[]][] = [
  ['a simple string', '+OK\r\n', 5],
  ['an empty simple string', '+\r\n', 3],
  ['an error', '-ERR no\r\n', 9],
  ['an integer', ':-12\r\n', 6],
  ['a string', '$5\r\nhello\r\n', 11],
  ['an empty string', '$0\r\n\r\n', 6],
  ['a string that looks like replies', '$6\r\n+OK\r\n$\r\n', 12],
  ['the RESP2 nulls', '$-1\r\n*-1\r\n', 5, 10],
  ['an array', '*2\r\n$1\r\na\r\n:1\r\n', 15],
  ['an empty array', '*0\r\n', 4],
  ['arrays in arrays', '*2\r\n*1\r\n*1\r\n:1\r\n*0\r\n', 20],
  ['a null inside an array', '*2\r\n$-1\r\n*-1\r\n', 14],
  ['RESP3 scalars', '_\r\n#t\r\n,1.5\r\n(123\r\n', 3, 7, 13, 19],
  ['a bulk error and a verbatim string', '!3\r\nERR\r\n=5\r\ntxt:x\r\n', 9, 20],
  ['a set and a map', '~1\r\n:1\r\n%1\r\n+k\r\n*1\r\n:1\r\n', 8, 24],
  ['an empty map inside a map', '%1\r\n%0\r\n+v\r\n', 12],
  ['an attribute before a reply', '|1\r\n+ttl\r\n:9\r\n+OK\r\n', 19],
  ['an empty attribute', '|0\r\n+OK\r\n', 9],
  ['an attribute inside an array', '*2\r\n|1\r\n+a\r\n:1\r\n:1\r\n:2\r\n', 24],
  ['a push inside an array', '*2\r\n>1\r\n:1\r\n:2\r\n+OK\r\n', 16, 21],
  ['an empty push inside an array', '*1\r\n>0\r\n', 8],
  ['two attributes in a row', '|1\r\n+a\r\n:1\r\n|1\r\n+b\r\n:2\r\n_\r\n', 27],
];

test('replies, whole and cut at every byte', async (t) => {
  for (const [title, text, ...ends] of sound) {
    for (const chunks of cuts(Buffer.from(text))) {
      t.strictSame(
        scanReplies(chunks),
        ends.map(reply),
        `${title}, cut ${chunks.map((c) => c.length).join('+')}`,
      );
    }
  }
});

test('a push is told apart from replies', async (t) => {
  const bytes = Buffer.from('+OK\r\n>2\r\n+message\r\n*1\r\n:1\r\n>0\r\n:1\r\n');
  for (const chunks of cuts(bytes)) {
    t.strictSame(scanReplies(chunks), [reply(5), { what: 'push', end: 27 }, { what: 'push', end: 31 }, reply(35)]); // prettier-ignore
  }
});

test('half a reply is no reply, wherever it stops', async (t) => {
  const bytes = Buffer.from('|1\r\n+a\r\n:1\r\n*2\r\n$3\r\nabc\r\n:1\r\n');
  for (let end = 1; end < bytes.length; end++) {
    t.strictSame(scanReplies([bytes.subarray(0, end)]), [{ what: 'unfinished', end }]);
  }
});

const broken: readonly [title: string, bytes: string, code: string, limits?: Partial<RespLimits>][] = [
  ['an unknown type', 'hello\r\n', 'RESP_MALFORMED'],
  ['a line without CR', '+OK\n', 'RESP_MALFORMED'],
  ['a CR inside a line', '+O\rK\r\n', 'RESP_MALFORMED'],
  ['a length that is no number', '$a\r\n', 'RESP_MALFORMED'],
  ['a string longer than said', '$2\r\nabc\r\n', 'RESP_MALFORMED'],
  ['a string without LF', '$2\r\nab\r\r', 'RESP_MALFORMED'],
  ['LF missing behind a length', '$2\rab\r\n', 'RESP_MALFORMED'],
  ['a null map', '%-1\r\n', 'RESP_MALFORMED'],
  ['a push behind an attribute', '|1\r\n:1\r\n:2\r\n>0\r\n', 'RESP_MALFORMED'],
  ['a streamed string', '$?\r\n', 'RESP_STREAMED'],
  ['a streamed array', '*?\r\n', 'RESP_STREAMED'],
  ['too deep', '*1\r\n*1\r\n*1\r\n:1\r\n', 'RESP_LIMIT', { maxDepth: 2 }],
  ['too many elements', '*5\r\n', 'RESP_LIMIT', { maxElements: 4 }],
  ['a line too long', '+abcde\r\n', 'RESP_LIMIT', { maxLineBytes: 4 }],
  ['a string too long', '$5\r\n', 'RESP_LIMIT', { maxBulkBytes: 4 }],
];

test('what is no reply is refused alike however it is cut', async (t) => {
  for (const [title, text, code, limits = {}] of broken) {
    const limit = Object.keys(limits)[0];
    for (const chunks of cuts(Buffer.from(text))) {
      t.strictSame(
        outcome(() => scanReplies(chunks, limits)),
        { code, limit },
        title,
      );
    }
  }
});

test('a million nested arrays are refused, not recursed into', async (t) => {
  const bytes = Buffer.from('*1\r\n'.repeat(1_000_000));
  t.strictSame(
    outcome(() => scanReplies([bytes])),
    { code: 'RESP_LIMIT', limit: 'maxDepth' },
  );
});

test('the deepest reply allowed passes', async (t) => {
  const bytes = Buffer.from(`${'*1\r\n'.repeat(128)}:1\r\n`);
  t.strictSame(scanReplies([bytes]), [reply(bytes.length)]);
});
