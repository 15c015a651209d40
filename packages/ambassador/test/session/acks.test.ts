import { test } from 'tap';
import { House } from './house.ts';
import type { HouseWire } from './house.ts';

const ok = '+OK\r\n';
const waiting = ['WAIT', '1', '10'];
const notAcknowledged = /^-OUTRIGGER write not acknowledged: 0 of 1 replicas had it/;

function acked(primaries = 1): House {
  const house = new House(primaries);
  house.writeAcks = { replicas: 1, timeoutMs: 10 };
  return house;
}

test('what WAIT answers may come in pieces', async (t) => {
  const house = acked();
  house.ask(['SET', 'k', 'v']);
  t.strictSame(house.sent(house.wire), [['SET', 'k', 'v'], waiting]);
  for (const piece of [ok, ':', '1', '\r', '\n']) house.answer(house.wire, piece);
  t.equal(house.take(), ok);
});

test('WAIT is no part of the transaction behind what it is asked for', async (t) => {
  const house = acked();
  house.ask(['SET', 'k', 'v'], ['MULTI']);
  const { wire } = house;
  t.strictSame(house.sent(wire), [['SET', 'k', 'v'], waiting, ['MULTI']]);
  house.answer(wire, `${ok}:1\r\n${ok}`);
  house.ask(['INCR', 'n'], ['EXEC'], ['MULTI']);
  t.strictSame(house.sent(wire), [['INCR', 'n'], ['EXEC'], waiting, ['MULTI']]);
  house.answer(wire, `+QUEUED\r\n*1\r\n:1\r\n:1\r\n${ok}`);
  t.equal(house.take(), `${ok}${ok}+QUEUED\r\n*1\r\n:1\r\n${ok}`);
});

test('what is behind a MULTI that was refused is a write of its own', async (t) => {
  const house = acked();
  house.ask(['MULTI'], ['SET', 'k', 'v']);
  const [own] = house.wires as [HouseWire];
  t.strictSame(house.sent(own), [['MULTI']], 'whether it will be is not known yet');
  house.answer(own, '-NOPERM no\r\n');
  t.strictSame(house.sent(house.wire), [['SET', 'k', 'v'], waiting]);
  house.answer(house.wire, `${ok}:0\r\n`);
  t.match(house.take().slice('-NOPERM no\r\n'.length), notAcknowledged);
});

test('EXEC that came to nothing, and BLPOP that waited in vain, have written nothing', async (t) => {
  const house = acked();
  house.ask(['WATCH', 'k'], ['MULTI']);
  house.answer(house.wire, `${ok}${ok}`);
  house.ask(['SET', 'k', 'v'], ['EXEC']);
  house.answer(house.wire, '+QUEUED\r\n*-1\r\n:0\r\n');
  house.ask(['BLPOP', 'k', '1']);
  house.answer(house.wire, '*-1\r\n:0\r\n');
  t.equal(house.take(), `${ok}${ok}+QUEUED\r\n*-1\r\n*-1\r\n`);
  house.ask(['SET', 'k', 'v', 'GET']);
  house.answer(house.wire, '$-1\r\n:0\r\n');
  t.match(house.take(), notAcknowledged, 'null is an answer of what has written, too');
});

test('what was executed behind a command that was rejected is acknowledged like any other', async (t) => {
  for (const have of [0, 1]) {
    const house = acked();
    house.ask(['SET', 'a', '1'], ['SET', 'b', '2']);
    house.answer(house.wire, `-LOADING not yet\r\n${ok}`);
    t.equal(house.take(), '', 'nobody knows whether it has been replicated');
    house.answer(house.wire, `:${have}\r\n`);
    const [loading, ...rest] = house.take().split(/(?<=\n)/);
    t.equal(loading, '-LOADING not yet\r\n');
    t.match(rest, [have === 0 ? notAcknowledged : ok]);
    t.ok(house.session.quiet);
  }
});

test('the verdict may come before it is known what becomes of the rest', async (t) => {
  const house = acked();
  house.ask(['SET', 'a', '1'], ['SET', 'b', '2']);
  house.ask(['SET', 'c', '3']);
  house.answer(house.wire, `-LOADING not yet\r\n${ok}:0\r\n`);
  t.equal(house.take(), '', 'a write behind it is under way');
  house.answer(house.wire, `${ok}:1\r\n`);
  const [loading, second, third] = house.take().split(/(?<=\n)/);
  t.equal(loading, '-LOADING not yet\r\n');
  t.match(second, notAcknowledged);
  t.equal(third, ok);
});

/** What the first part of DEL over two shards was, and where the second went. */
function halfWay(house: House): { there: HouseWire; key: string; other: string } {
  house.answer(house.wire, ':1\r\n:1\r\n');
  const there = house.wire;
  const [[, key = ''] = []] = house.sent(there);
  return { there, key, other: house.servers.find(({ name }) => name !== there.server)?.name ?? '' };
}

test('a part that is asked for again elsewhere goes on when WAIT has let its connection go', async (t) => {
  const house = acked(2);
  house.ask(['DEL', 'a', 'b']);
  const { there, key, other } = halfWay(house);
  house.answer(there, `-ASK 1 ${other}\r\n`);
  house.answer(there, ':0\r\n');
  const again = house.wires.findLast(({ server }) => server === other) as HouseWire;
  t.strictSame(house.sent(again).slice(-3), [['ASKING'], ['DEL', key], waiting]);
  house.answer(again, `${ok}:1\r\n:1\r\n`);
  t.equal(house.take(), ':2\r\n');
});

test('a part that is lost is answered once, whoever tells of it', async (t) => {
  const house = acked(2);
  house.ask(['DEL', 'a', 'b'], ['DEL', 'a', 'b']);
  const { there, key, other } = halfWay(house);
  house.lose(there);
  t.match(house.take(), /^-OUTRIGGER write outcome unknown/);
  const next = house.wires.findLast(({ server }) => server === other) as HouseWire;
  t.strictSame(
    house.sent(next).slice(-2),
    [['DEL', key === 'a' ? 'b' : 'a'], waiting],
    'the next command begins',
  );
  house.answer(next, ':1\r\n:1\r\n');
  house.answer(house.wire, ':1\r\n:1\r\n');
  t.equal(house.take(), ':2\r\n');
});
