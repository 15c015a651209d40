/** Random programs of plain commands whose answers depend on the data alone, for comparing two ways to run them. */

import type { Random } from '@outrigger/core/clock';

type Maker = (pick: Pick) => string[];

interface Pick {
  key(): string;
  value(): string;
  number(limit: number): string;
}

/** Small values and whole numbers: their encodings keep an order that is the same on every server. */
const makers: readonly Maker[] = [
  (p) => ['SET', p.key(), p.value()],
  (p) => ['set', p.key(), p.value(), 'NX'],
  (p) => ['SETRANGE', p.key(), p.number(4), p.value()],
  (p) => ['APPEND', p.key(), p.value()],
  (p) => ['GETSET', p.key(), p.value()],
  (p) => ['INCRBY', `n${p.key()}`, p.number(100)],
  (p) => ['DEL', p.key(), p.key()],
  (p) => ['EXPIREAT', p.key(), '4102444800'],
  (p) => ['HSET', `h${p.key()}`, p.number(5), p.number(1000)],
  (p) => ['HDEL', `h${p.key()}`, p.number(5)],
  (p) => ['RPUSH', `l${p.key()}`, p.value(), p.value()],
  (p) => ['LPOP', `l${p.key()}`],
  (p) => ['SADD', `s${p.key()}`, p.number(50), p.number(50)],
  (p) => ['ZADD', `z${p.key()}`, p.number(9), p.number(9)],
  (p) => ['ZREM', `z${p.key()}`, p.number(9)],
  (p) => ['MSET', p.key(), p.value(), p.key(), p.value()],
  (p) => ['GET', p.key()],
  (p) => ['get', p.key()],
  (p) => ['MGET', p.key(), `n${p.key()}`, 'missing'],
  (p) => ['STRLEN', p.key()],
  (p) => ['GETRANGE', p.key(), '1', '-2'],
  (p) => ['EXISTS', p.key(), p.key()],
  (p) => ['TYPE', `h${p.key()}`],
  (p) => ['EXPIRETIME', p.key()],
  (p) => ['HGETALL', `h${p.key()}`],
  (p) => ['HMGET', `h${p.key()}`, '1', '2'],
  (p) => ['LRANGE', `l${p.key()}`, '0', '-1'],
  (p) => ['LLEN', `l${p.key()}`],
  (p) => ['SMEMBERS', `s${p.key()}`],
  (p) => ['SISMEMBER', `s${p.key()}`, p.number(50)],
  (p) => ['ZRANGE', `z${p.key()}`, '0', '-1', 'WITHSCORES'],
  (p) => ['ZSCORE', `z${p.key()}`, p.number(9)],
  // Errors are answers too: a wrong type, a wrong number of arguments, a value that is no number.
  (p) => ['GET', `h${p.key()}`],
  (p) => ['HGET', `l${p.key()}`, '1'],
  () => ['GET'],
  (p) => ['INCRBY', p.key(), 'x'],
  (p) => ['SET', p.key()],
  () => ['PING'],
  (p) => ['ECHO', p.value()],
  (p) => ['CLIENT', 'SETNAME', `n${p.number(9)}`],
];

export function randomProgram(random: Random, length: number): string[][] {
  const number = (limit: number): number => Math.floor(random.next() * limit);
  const pick: Pick = {
    key: () => `k${number(4)}`,
    // Line ends and zero bytes inside, nothing at all, and now and then something larger than one chunk.
    value: () =>
      ['', 'v', '\r\n', '\0\xff', '*1\r\n$4\r\nPING\r\n', 'x'.repeat(number(300))][number(6)] as string,
    number: (limit) => String(number(limit)),
  };
  return Array.from({ length }, () => (makers[number(makers.length)] as Maker)(pick));
}

/** `bytes` in pieces of random sizes up to `largest`. */
export function randomPieces(bytes: string, random: Random, largest: number): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = 1 + Math.floor(random.next() * largest);
    pieces.push(bytes.slice(at, at + size));
    at += size;
  }
  return pieces;
}
