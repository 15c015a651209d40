import { test } from 'tap';
import { decodeReply, encodeError, encodeReply, ReplyDecoder } from '@outrigger/core/resp';
import type { RespValue } from '@outrigger/core/resp';
import { cuts } from './fixtures.ts';

const one: RespValue = { type: 'integer', value: 1 };
const samples: readonly (readonly [string, RespValue])[] = [
  ['+OK\r\n', { type: 'simple', text: 'OK' }],
  ['-ERR no\r\n', { type: 'error', text: 'ERR no' }],
  ['!6\r\nERR no\r\n', { type: 'bulkError', text: 'ERR no' }],
  [':-7\r\n', { type: 'integer', value: -7 }],
  [':9223372036854775807\r\n', { type: 'integer', value: 9_223_372_036_854_775_807n }],
  ['$3\r\na\r\n\r\n', { type: 'bulk', bytes: Buffer.from('a\r\n') }],
  ['$-1\r\n', { type: 'nullBulk' }],
  ['*-1\r\n', { type: 'nullList' }],
  ['_\r\n', { type: 'null' }],
  ['#f\r\n', { type: 'boolean', value: false }],
  [',-1.5\r\n', { type: 'double', value: -1.5 }],
  [',inf\r\n', { type: 'double', value: Infinity }],
  [',-inf\r\n', { type: 'double', value: -Infinity }],
  [',nan\r\n', { type: 'double', value: Number.NaN }],
  ['(123456789012345678901234567890\r\n', { type: 'bigNumber', value: 123456789012345678901234567890n }],
  ['=8\r\ntxt:text\r\n', { type: 'verbatim', format: 'txt', text: 'text' }],
  ['*2\r\n:1\r\n*0\r\n', { type: 'list', items: [one, { type: 'list', items: [] }] }],
  ['~1\r\n:1\r\n', { type: 'set', items: [one] }],
  ['>1\r\n:1\r\n', { type: 'push', items: [one] }],
  ['%1\r\n+k\r\n:1\r\n', { type: 'map', entries: [[{ type: 'simple', text: 'k' }, one]] }],
  ['|1\r\n+k\r\n:1\r\n:1\r\n', { ...one, attributes: [[{ type: 'simple', text: 'k' }, one]] }],
];

test('values decode, and encode to the same bytes', async (t) => {
  for (const [text, value] of samples) {
    t.strictSame(decodeReply(Buffer.from(text)), value, text);
    t.equal(encodeReply(value).toString(), text);
  }
});

test('a stream of values decodes alike however it is cut', async (t) => {
  const bytes = Buffer.from(samples.map(([text]) => text).join(''));
  const values = samples.map(([, value]) => value);
  for (const chunks of cuts(bytes)) {
    const decoder = new ReplyDecoder();
    t.strictSame(
      chunks.flatMap((chunk) => decoder.push(chunk)),
      values,
    );
  }
});

test('a decoder keeps no hold of the chunks it was given', async (t) => {
  const decoder = new ReplyDecoder();
  const buffer = Buffer.from('$4\r\nab');
  decoder.push(buffer);
  buffer.fill('x');
  t.strictSame(decoder.push(Buffer.from('cd\r\n')), [{ type: 'bulk', bytes: Buffer.from('abcd') }]);
});

test('contents that fit no type are refused', async (t) => {
  const wrong = [
    ':\r\n',
    ':1.5\r\n',
    '#x\r\n',
    '_x\r\n',
    ',x\r\n',
    '(1.5\r\n',
    '=3\r\ntxt\r\n',
    '$3\r\nab',
    '+a\r\n+b\r\n',
  ];
  for (const text of wrong) {
    t.throws(() => decodeReply(Buffer.from(text)), { code: 'RESP_MALFORMED' }, JSON.stringify(text));
  }
});

test('an error never ends its line early', async (t) => {
  t.equal(encodeError('ERR a\r\nb\nc').toString(), '-ERR a b c\r\n');
});
