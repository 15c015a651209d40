import { test } from 'tap';
import { ReplyStream } from '../../src/session/replies.ts';

function feed(
  chunks: readonly string[],
  watch = true,
): { delivered: string; answers: number; rejection?: string } {
  const stream = new ReplyStream(watch);
  let delivered = '';
  let answers = 0;
  for (const chunk of chunks) {
    stream.read(Buffer.from(chunk), 100);
    delivered += Buffer.from(stream.deliver).toString();
    answers += stream.answers;
    if (stream.rejection !== undefined) return { delivered, answers, rejection: stream.rejection };
  }
  return { delivered, answers };
}

function* cuts(bytes: string): Generator<string[]> {
  yield [bytes];
  yield [...bytes];
  for (let at = 1; at < bytes.length; at++) yield [bytes.slice(0, at), bytes.slice(at)];
}

test('answers pass as they are and are counted', async (t) => {
  const bytes = '+OK\r\n$3\r\n-AB\r\n-ERR no\r\n*2\r\n-ERR in a list\r\n:1\r\n-WRONGTYPE x\r\n';
  for (const chunks of cuts(bytes)) t.strictSame(feed(chunks), { delivered: bytes, answers: 5 });
});

test('a read turned away is not delivered, nor what follows it', async (t) => {
  for (const error of ['LOADING Redis is loading', 'MASTERDOWN Link with MASTER is down']) {
    for (const chunks of cuts(`+OK\r\n-ERR no\r\n-${error}\r\n`)) {
      t.strictSame(feed(chunks), { delivered: '+OK\r\n-ERR no\r\n', answers: 2, rejection: error });
    }
  }
});

test('a primary’s errors are its own', async (t) => {
  const bytes = '-LOADING Redis is loading\r\n';
  for (const chunks of cuts(bytes)) t.strictSame(feed(chunks, false), { delivered: bytes, answers: 1 });
});

test('whether the client has half an answer', async (t) => {
  const stream = new ReplyStream(true);
  const after = (chunk: string): boolean => {
    stream.read(Buffer.from(chunk), 100);
    return stream.midReply;
  };
  t.equal(after('$5\r\nab'), true);
  t.equal(after('cde\r\n'), false);
  t.equal(after('-ERR half an err'), false, 'an error is held until it is whole');
  t.equal(after('or\r\n*2\r\n:1\r\n'), true);
  t.equal(after('-LOADING inside a list'), true, 'and one inside a list is not');
});

test('a server that says what was not asked, or nothing one could follow', async (t) => {
  const read = (bytes: string, owed: number): string | undefined =>
    new ReplyStream(true).read(Buffer.from(bytes), owed);
  t.equal(read('+OK\r\n', 0), 'it sent an answer nobody asked for');
  t.equal(read('+OK\r\n+OK\r\n', 1), 'it sent more answers than were asked for');
  t.match(read('HTTP/1.1', 1), /^it does not speak RESP: /);
  t.equal(read('+OK\r\n+O', 2), undefined);
});
