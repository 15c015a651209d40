import { test } from 'tap';
import { decodeRequest, encodeCommand, splitWords } from '@outrigger/core/resp';

const words = (text: string): string[] => splitWords(text).map((word) => word.toString('latin1'));

test('a whole request comes apart into its arguments', async (t) => {
  const args = ['SET', '', 'a\r\nb', Buffer.from([0, 255]), 12];
  t.strictSame(
    decodeRequest(encodeCommand(args)),
    args.map((arg) => Buffer.from(typeof arg === 'number' ? String(arg) : (arg as string))),
  );
  t.strictSame(decodeRequest(Buffer.from('get "a b"\r\n')).map(String), ['get', 'a b']);
  t.strictSame(decodeRequest(Buffer.from('*0\r\n')), []);
});

test('half a request, or more than one, is refused', async (t) => {
  const bytes = encodeCommand(['PING']);
  t.throws(() => decodeRequest(bytes.subarray(0, 9)), { code: 'RESP_MALFORMED' });
  t.throws(() => decodeRequest(Buffer.concat([bytes, bytes])), { code: 'RESP_MALFORMED' });
  t.throws(() => decodeRequest(Buffer.alloc(0)), { code: 'RESP_MALFORMED' });
});

test('a line splits as in Redis', async (t) => {
  t.strictSame(words('  GETEX\tk  '), ['GETEX', 'k']);
  t.strictSame(words(''), []);
  t.strictSame(words(String.raw`"a\"b\x41\n\q" 'it\'s \n' mi"x e"`), ['a"bA\nq', "it's \\n", 'mix e']);
  t.strictSame(words(String.raw`"" '' "\xZZ"`), ['', '', 'xZZ']);
  t.strictSame(splitWords('é').map(String), ['é'], 'bytes of UTF-8 stay as they are');
  t.strictSame(
    splitWords(Buffer.from([0x61, 0xa0, 0x62])),
    [Buffer.from([0x61, 0xa0, 0x62])],
    'byte A0 is no blank',
  );
});

test('quotes must be closed, and end a word', async (t) => {
  for (const text of ['"a', "'a", '"a"b', "'a'b", '"a\\']) {
    t.throws(() => splitWords(text), { code: 'RESP_MALFORMED' }, text);
  }
});
