/** Random programs of one client over keys of its own, with whatever changes its session in between. */

import type { Random } from '@outrigger/core/clock';

type Maker = (pick: Pick) => string[];

interface Pick {
  key(kind: string): string;
  value(): string;
  number(limit: number): number;
}

const plain: readonly Maker[] = [
  (p) => [`SET ${p.key('s')} ${p.value()}`],
  (p) => [`GET ${p.key('s')}`],
  (p) => [`MGET ${p.key('s')} ${p.key('s')} ${p.key('s')}`],
  (p) => [`MSET ${p.key('s')} 1 ${p.key('s')} 2`],
  (p) => [`APPEND ${p.key('s')} ${p.value()}`],
  (p) => [`STRLEN ${p.key('s')}`],
  (p) => [`INCRBY ${p.key('n')} ${p.number(9)}`],
  (p) => [`GET ${p.key('n')}`],
  (p) => [`DEL ${p.key('s')} ${p.key('n')}`],
  (p) => [`GETEX ${p.key('s')} EXAT 4102444800`],
  (p) => [`EXPIRETIME ${p.key('s')}`],
  (p) => [`SETBIT ${p.key('s')} ${p.number(99)} 1`],
  (p) => [`HSET ${p.key('h')} f${p.number(5)} ${p.value()}`],
  (p) => [`[any order of pairs] HGETALL ${p.key('h')}`],
  (p) => [`RPUSH ${p.key('l')} ${p.value()} ${p.value()}`],
  (p) => [`LRANGE ${p.key('l')} 0 -1`],
  (p) => [`LPOP ${p.key('l')} 2`],
  (p) => [`SADD ${p.key('i')} ${p.number(99)}`],
  (p) => [`SMEMBERS ${p.key('i')}`],
  (p) => [`ZADD ${p.key('z')} ${p.number(9)} m${p.number(9)}`],
  (p) => [`ZRANGE ${p.key('z')} 0 -1 WITHSCORES`],
  (p) => [`ZPOPMIN ${p.key('z')}`],
  (p) => [`XADD ${p.key('x')} 1-* f ${p.value()}`],
  (p) => [`XRANGE ${p.key('x')} - +`],
  (p) => [`PFADD ${p.key('p')} ${p.number(99)}`],
  (p) => [`PFCOUNT ${p.key('p')}`],
  (p) => [`GET ${p.key('h')}`],
  (p) => [`GET ${p.key('s')} x`],
  (p) => [`NOSUCH ${p.key('s')}`],
  (p) => [`ECHO ${p.value()}`],
  () => ['PING'],
  (p) => [`EVAL "return redis.call('INCR', KEYS[1])" 1 ${p.key('n')}`],
  (p) => [`EVAL_RO "return redis.call('GET', KEYS[1])" 1 ${p.key('n')}`],
  (p) => [`SORT ${p.key('l')} ALPHA`],
];

/** What gives the session a connection of its own, or another identity. */
const changing: readonly Maker[] = [
  (p) => ['MULTI', ...some(p, 4), 'EXEC'],
  (p) => ['MULTI', ...some(p, 2), 'DISCARD'],
  (p) => [`WATCH ${p.key('s')}`, ...some(p, 1), 'MULTI', ...some(p, 2), 'EXEC'],
  (p) => [`SELECT ${p.number(3)}`],
  (p) => [`RPUSH ${p.key('l')} b`, `BLPOP ${p.key('l')} ${p.key('l')} 0.01`],
  (p) => [`BZPOPMIN ${p.key('z')} 0.01`],
  (p) => [`SUBSCRIBE ${p.key('c')}`, `1 UNSUBSCRIBE`],
  () => ['[connection id] HELLO 3'],
  () => ['[connection id] HELLO 2'],
  () => ['RESET'],
  (p) => [`CLIENT SETNAME n${p.number(9)}`, 'CLIENT GETNAME'],
  (p) => ['0 CLIENT REPLY SKIP', `0 SET ${p.key('s')} silent`],
  (p) => [
    `SET ${p.key('b')} @${p.number(9)}*${p.number(100_000) + 1}`,
    `STRLEN ${p.key('b')}`,
    `GET ${p.key('b')}`,
  ],
  (p) => [`3 !raw "\\r\\nPING\\r\\n*0\\r\\nSET ${p.key('s')} inline\\r\\nGET ${p.key('s')}\\r\\n"`],
];

function some(pick: Pick, most: number): string[] {
  return Array.from({ length: 1 + pick.number(most) }, () => one(plain, pick)).flat();
}

function one(makers: readonly Maker[], pick: Pick): string[] {
  return (makers[pick.number(makers.length)] as Maker)(pick);
}

/** The text of a program whose keys begin with `prefix`. */
export function randomText(random: Random, prefix: string, length: number): string {
  const number = (limit: number): number => Math.floor(random.next() * limit);
  const pick: Pick = {
    number,
    key: (kind) => `${prefix}:${kind}${number(3)}`,
    value: () => ['v', '""', '"\\r\\n"', '"\\x00\\xff"', `@xy*${number(200) + 1}`][number(5)] as string,
  };
  return Array.from({ length }, () => one(number(6) === 0 ? changing : plain, pick))
    .flat()
    .join('\n');
}
