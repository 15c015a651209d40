/** What is no Redis protocol gets the answer of a plain Redis, byte for byte, and hurts nobody else. */

import { test } from 'tap';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { startAmbassador, startReplica } from './setting.ts';
import { frame, Wire } from './wire.ts';

const redis = needs('redis-server', 'redis-cli');
const PATIENCE_MS = 3_000;
const set = frame('SET', 'k', 'v');
const get = frame('GET', 'k');
const end = frame('ECHO', 'the end');

/** What Redis puts up with; the next command is answered as if nothing had been. */
const survived: Readonly<Record<string, string>> = {
  'a negative count': '*-1\r\n',
  'a very negative count': '*-2147483648\r\n',
  'a count of nothing': '*0\r\n',
  'a bulk without its end of line': '*2\r\n$3\r\nGET\r\n$1\r\nkXY',
  'an inline command': 'SET k v\r\nGET k\r\n',
  'an inline command with quotes': 'SET k "a b\\x41\\n"\r\nGET k\r\n',
  'an inline command with single quotes': "SET k 'a \\' b'\r\nGET k\r\n",
  'inline commands that end with a bare newline': 'SET k v\nGET k\n',
  'an inline command with spaces around': '  SET  k   v \r\nGET k\r\n',
  'empty lines': '\r\n\r\n\n',
  'spaces alone': '   \r\n',
  'a long inline command': `SET k ${'x'.repeat(60_000)}\r\nSTRLEN k\r\n`,
  'a reply sent as a request': '+OK\r\n',
  'an error sent as a request': '-ERR no\r\n',
  'a map sent as a request': '%1\r\n',
  'an unknown command': frame('NOSUCH', 'a', 'b'),
  'an unknown subcommand': frame('CLIENT', 'NOSUCH', 'a') + frame('XGROUP', 'NOSUCH'),
  'an unknown command with a long name': frame('X'.repeat(500), 'y'.repeat(500)),
  'a name of no bytes': frame(''),
  'a name with binary': frame('\xff\0\r\n', 'k'),
  'a name with an end of line': frame('GET\r\n', 'k'),
  'too few arguments': frame('GET') + frame('SET', 'k') + frame('XREAD') + frame('EVAL', 'x'),
  'too many arguments': frame('GET', 'a', 'b') + frame('PING', 'a', 'b') + frame('MULTI', 'x'),
  'wrong numbers of keys': frame('EVAL', 'return 1', '5', 'a') + frame('EVAL', 'return 1', 'x') + frame('LMPOP', '0', 'a', 'LEFT'), // prettier-ignore
  'options nobody knows': frame('SET', 'k', 'v', 'NOSUCH') + frame('GETEX', 'k', 'NOSUCH') + frame('SORT', 'k', 'NOSUCH'), // prettier-ignore
  'lower and mixed case': frame('set', 'k', 'v') + frame('gEt', 'k') + frame('oBject', 'Encoding', 'k'),
  'EXEC and DISCARD out of place': frame('EXEC') + frame('DISCARD') + frame('UNWATCH'),
  'a bad command in a transaction': frame('MULTI') + set + frame('NOSUCH') + frame('EXEC'),
  'a command that fails in a transaction': frame('MULTI') + set + frame('LPUSH', 'k', 'x') + frame('EXEC'),
};

/** Redis hangs up when it has the last byte. One byte more than 64 KiB without an end of line is too much. */
const fatal: Readonly<Record<string, string>> = {
  'a huge count': '*2147483648\r\n',
  'a count beyond all numbers': '*99999999999999999999\r\n',
  'a count that is no number': '*abc\r\n',
  'a count with a plus sign': '*+1\r\n',
  'a count with a space': '* 1\r\n',
  'an empty count': '*\r\n',
  'a negative length': '*2\r\n$3\r\nGET\r\n$-1\r\n',
  'a very negative length': '*2\r\n$3\r\nGET\r\n$-2147483648\r\n',
  'a huge length': '*2\r\n$3\r\nGET\r\n$536870913\r\n',
  'a length beyond all numbers': '*2\r\n$3\r\nGET\r\n$99999999999999999999\r\n',
  'a length that is no number': '*2\r\n$3\r\nGET\r\n$x\r\n',
  'an empty length': '*2\r\n$3\r\nGET\r\n$\r\n',
  'a wrong type byte': '*2\r\n$3\r\nGET\r\n:1\r\n',
  'an array in an array': '*1\r\n*1\r\n',
  'a status where an argument belongs': '*2\r\n+OK\r\n',
  'a count line that never ends': `*${'1'.repeat(65_536)}`,
  'a length line that never ends': `*1\r\n$${'1'.repeat(65_536)}`,
  'a line that never ends': 'x'.repeat(65_537),
  // Redis looks for the end of a line as C looks in a string: behind a nul byte it finds none.
  'a nul byte': `\0\r\n${'x'.repeat(65_534)}`,
  'the beginning of TLS': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n'.padEnd(65_537, 'x'),
  'an unbalanced quote': 'SET k "v\r\n',
  'an unbalanced single quote': "GET 'k\r\n",
  'text after a closing quote': 'SET k "v"w\r\n',
  'good commands before the bad one': set + get + '*1\r\n$-5\r\n',
  'a bad frame in a transaction': frame('MULTI') + set + '*-x\r\n',
  'a bad frame after SUBSCRIBE': frame('SUBSCRIBE', 'c') + '*1\r\n$x\r\n',
  'a bad frame after SELECT': frame('SELECT', '1') + '*1\r\n$x\r\n',
};

/** As well, and what follows is for nobody. It all has to arrive at once, else a reset may overtake the error. */
const fatalAtOnce: Readonly<Record<string, string>> = {
  'good commands after the bad one': '*1\r\n$-5\r\n' + set,
  'deep nesting': '*1\r\n'.repeat(4_000),
  'a header of HTTP': 'Host: localhost\r\n\r\n',
  POST: 'POST / HTTP/1.1\r\n\r\n',
};

const cases = [
  ...Object.entries(survived).flatMap(([what, bytes]) => [
    { what, pieces: [bytes + end] },
    { what: `${what}, in pieces`, pieces: [...cut(bytes), end] },
  ]),
  ...Object.entries(fatal).flatMap(([what, bytes]) => [
    { what, pieces: [bytes] },
    { what: `${what}, in pieces`, pieces: [...cut(bytes)] },
  ]),
  ...Object.entries(fatalAtOnce).map(([what, bytes]) => ({ what, pieces: [bytes] })),
];

test('protocol garbage is answered as by a plain Redis', redis, async (t) => {
  const primary = await startRedis(t);
  const plain = await startRedis(t);
  const replica = await startReplica(t, primary);
  const amb = await startAmbassador(t, { primary: primary.address, replica: [replica.address] });
  const servers = [await Wire.open(primary.port, { t }), await Wire.open(plain.port, { t })];
  const bystander = await Wire.open(amb.port, { t });
  for (const { what, pieces } of cases) {
    for (const server of servers) await server.ask('FLUSHALL');
    const want = await answerOf(plain.port, pieces);
    const got = await answerOf(amb.port, pieces);
    t.equal(got, want, what);
    t.equal(await bystander.ask('ECHO', 'x'), '$1\r\nx\r\n');
    const [there, here] = await Promise.all(servers.map((server) => server.ask('DUMP', 'k')));
    t.equal(there, here, 'and it has done the same');
  }
});

test('a command cut at every byte is answered the same', redis, async (t) => {
  const primary = await startRedis(t);
  const amb = await startAmbassador(t, { primary: primary.address });
  const bytes = [
    frame('SET', 'k', 'a\r\n$1\r\n'),
    frame('GET', 'k'),
    'GET k\r\n',
    frame('MULTI') + frame('GET', 'k') + frame('EXEC'),
    frame('EVAL', 'return {1,{2}}', '0'),
  ].join('');
  const want = '+OK\r\n' + '$7\r\na\r\n$1\r\n\r\n'.repeat(2) + '+OK\r\n+QUEUED\r\n*1\r\n$7\r\na\r\n$1\r\n\r\n*2\r\n:1\r\n*1\r\n:2\r\n'; // prettier-ignore
  for (let at = 1; at < bytes.length; at++) {
    const client = await Wire.open(amb.port, { keep: true });
    client.send(bytes.slice(0, at));
    await sent(client);
    client.send(bytes.slice(at));
    t.equal(await client.take(7), want, `cut at ${at}`);
    client.destroy();
  }
});

test('half a command and no more is never executed, wherever it ends', redis, async (t) => {
  const primary = await startRedis(t);
  const amb = await startAmbassador(t, { primary: primary.address });
  const bytes = frame('INCR', 'n');
  for (let at = 1; at < bytes.length; at++) {
    const client = await Wire.open(amb.port);
    client.send(bytes.slice(0, at));
    client.socket.end();
    await client.closed();
  }
  t.equal(await primary.cli('GET', 'n'), '');
});

/** Everything that comes back until the connection ends, or until the end has been echoed. */
async function answerOf(port: number, pieces: readonly string[]): Promise<string> {
  const client = await Wire.open(port, { keep: true });
  for (const piece of pieces) {
    client.send(piece);
    await sent(client);
  }
  const patience = setTimeout(() => client.destroy(), PATIENCE_MS);
  while (!client.ended && !client.received.endsWith('the end\r\n')) await client.changed();
  const { received, ended, socket } = client;
  clearTimeout(patience);
  // Closed by the timer alone: the other side has neither answered nor hung up.
  const ending = ended ? (socket.readableEnded || socket.errored !== null ? '(closed)' : '(silence)') : '';
  client.destroy();
  return `${received}${ending}`;
}

/** In small pieces; what is long in larger ones. */
function* cut(bytes: string): Generator<string> {
  const size = bytes.length > 1000 ? 4099 : 3;
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

/** Handed to the kernel by itself; without a turn pieces would travel as one. */
function sent(client: Wire): Promise<void> {
  return new Promise((resolve) => setImmediate(() => (client.ended ? resolve() : setImmediate(resolve))));
}
