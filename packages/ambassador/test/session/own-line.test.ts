import { test } from 'tap';
import { House } from './house.ts';
import type { HouseWire } from './house.ts';

const ok = '+OK\r\n';
const popped = '*2\r\n$1\r\nk\r\n$1\r\nv\r\n';
const name = ['CLIENT', 'SETNAME', 'me'];

function pins(house: House): string[] {
  return [...house.session.state.pins].toSorted();
}

test('why a command needs the connection ends with it, though another keeps that', async (t) => {
  const house = new House();
  house.ask(['BLPOP', 'k', '0'], ['WATCH', 'k']);
  t.strictSame(pins(house), ['blocking', 'watch']);
  house.answer(house.wire, popped);
  t.strictSame(pins(house), ['watch'], 'it blocks no longer');
  house.answer(house.wire, ok);
  house.ask(['BLPOP', 'k', '0']);
  t.strictSame(pins(house), ['blocking', 'watch'], 'and does again where something keeps the connection');
  house.answer(house.wire, popped);
  t.strictSame(pins(house), ['watch']);
  house.ask(['WAIT', '1', '0'], ['BLPOP', 'k', '0'], ['BLPOP', 'k', '0']);
  t.strictSame(pins(house), ['blocking', 'wait', 'watch']);
  house.answer(house.wire, `+PONG\r\n:1\r\n${popped}`);
  t.strictSame(pins(house), ['blocking', 'watch'], 'the second still blocks');
  house.answer(house.wire, popped);
  t.strictSame(pins(house), ['watch']);
  const page = await house.metrics.page();
  t.match(page, /_pinned_sessions\{[^}]*reason="blocking"[^}]*\} 0\n/);
  t.match(page, /_pinned_sessions\{[^}]*reason="watch"[^}]*\} 1\n/);
});

test('what is queued in a transaction blocks nobody', async (t) => {
  const house = new House();
  house.ask(['MULTI'], ['BLPOP', 'k', '0']);
  t.strictSame(pins(house), ['multi']);
});

test('a transaction behind WATCH is one: what cannot be queued is refused with it', async (t) => {
  const house = new House();
  house.ask(['WATCH', 'k'], ['MULTI']);
  house.answer(house.wire, `${ok}${ok}`);
  t.strictSame(pins(house), ['multi', 'watch']);
  house.sent(house.wire);
  house.take();
  house.ask(['CLIENT', 'SETNAME', 'me']);
  t.strictSame(house.sent(house.wire), [['CLIENT']], 'what every server refuses goes in its place');
  house.answer(house.wire, '-ERR wrong number of arguments\r\n');
  t.match(house.take(), /^-OUTRIGGER not in a transaction/);
  t.equal(house.session.state.name, '');
});

test('the connection is given back when nothing keeps it, and the next to need one gets it', async (t) => {
  const house = new House();
  house.ask(['WATCH', 'k'], ['MULTI'], ['SET', 'k', 'v']);
  const [own] = house.wires;
  house.answer(house.wire, `${ok}${ok}+QUEUED\r\n`);
  house.ask(['GET', 'k']);
  t.equal(house.wires.length, 1, 'a transaction keeps it');
  house.answer(house.wire, '+QUEUED\r\n');
  house.ask(['EXEC']);
  house.answer(house.wire, '*2\r\n+OK\r\n$1\r\nv\r\n');
  t.strictSame(pins(house), []);
  house.ask(['GET', 'k']);
  t.equal(house.wires.length, 2, 'it goes to a shared one');
  house.answer(house.wire, '$1\r\nv\r\n');
  house.ask(['BLPOP', 'k', '0']);
  t.equal(house.wires.length, 2);
  t.match(house.sent(own as never).at(-1), ['BLPOP', 'k', '0'], 'on the one that was given back');
});

test('a connection that is not as a new one is closed', async (t) => {
  const house = new House();
  house.ask(['MULTI']);
  house.answer(house.wire, ok);
  // EXEC that fails leaves nobody sure what the connection holds.
  house.ask(['EXEC']);
  house.answer(house.wire, '-LOADING Redis is loading the dataset in memory\r\n');
  t.ok(house.wires[0]?.destroyed);
  house.ask(['BLPOP', 'k', '0']);
  t.equal(house.wires.length, 2, 'the next gets a new one');
});

test('an end in the middle of a transaction closes its connection', async (t) => {
  const house = new House();
  house.ask(['MULTI'], ['SET', 'k', 'v']);
  house.answer(house.wire, `${ok}+QUEUED\r\n`);
  house.session.end();
  t.ok(house.wires[0]?.destroyed, 'nobody else may be in it');
  t.strictSame(pins(house), []);
});

test('the connection carries the name of its session before its first command', async (t) => {
  const house = new House();
  house.ask(name, ['BLPOP', 'k', '0']);
  t.strictSame(house.sent(house.wire), [name, ['BLPOP', 'k', '0']]);
  house.answer(house.wire, `${ok}${popped}`);
  t.equal(house.take(), `${ok}${popped}`, 'one answer for each of the client’s commands');
});

test('in a cluster a transaction begins where its first key is, and what was refused of it spoils it', async (t) => {
  const house = new House(2);
  house.refusal = (one) => (one === 'KEYS' ? 'NOPERM' : undefined);
  house.ask(['MULTI']);
  t.equal(house.take(), ok);
  t.equal(house.wires.length, 0, 'no key, no server');
  house.ask(['KEYS', '*']);
  t.equal(house.take(), '-NOPERM\r\n');
  house.ask(['SET', 'k', 'v'], ['EXEC']);
  t.strictSame(house.sent(house.wire), [['MULTI']]);
  house.answer(house.wire, ok);
  t.strictSame(house.sent(house.wire), [['CLIENT'], ['SET', 'k', 'v'], ['EXEC']]);
  house.answer(house.wire, '-ERR wrong number\r\n+QUEUED\r\n-EXECABORT\r\n');
  t.equal(house.take(), '+QUEUED\r\n-EXECABORT\r\n');
  t.strictSame(pins(house), []);
});

test('a transaction begun in word waits for its server to begin it', async (t) => {
  const house = new House(2);
  house.ask(['MULTI'], ['SET', 'k', 'v'], ['EXEC']);
  t.equal(house.take(), ok);
  const [own] = house.wires as [HouseWire];
  t.strictSame(house.sent(own), [['MULTI']], 'nothing is sent that it might execute at once');
  house.answer(own, '-NOPERM no\r\n');
  t.equal(house.take(), '-NOPERM no\r\n-EXECABORT Transaction discarded because of previous errors.\r\n');
  t.strictSame(house.sent(own), []);
  t.equal(own.destroyed, true, 'nobody gets that connection');
  house.ask(['MULTI'], ['SET', 'k', 'v'], ['EXEC']);
  house.answer(house.wire, ok);
  t.strictSame(house.sent(house.wire), [['MULTI'], ['SET', 'k', 'v'], ['EXEC']]);
  house.answer(house.wire, '+QUEUED\r\n*1\r\n+OK\r\n');
  t.equal(house.take(), `${ok}+QUEUED\r\n*1\r\n+OK\r\n`);
  t.strictSame(pins(house), []);
});

test('a transaction that was begun in word begins elsewhere when its server is lost before it has', async (t) => {
  const house = new House(2);
  house.ask(['MULTI'], ['SET', 'k', 'v'], ['EXEC']);
  const [lost] = house.wires as [HouseWire];
  house.lose(lost);
  t.strictSame(house.sent(house.wire), [['MULTI']]);
  house.answer(house.wire, ok);
  t.strictSame(house.sent(house.wire), [['SET', 'k', 'v'], ['EXEC']]);
  t.equal(house.take(), ok);
  t.equal(house.over, undefined);
});

test('what ends it while its server is asked leaves nobody in it', async (t) => {
  const house = new House(2);
  house.ask(['MULTI'], ['SET', 'k', 'v'], ['EXEC'], ['GET', 'k']);
  const [own] = house.wires as [HouseWire];
  house.refusal = (name) => (name === 'SET' ? 'NOPERM by a rule' : undefined);
  house.answer(own, ok);
  t.match(house.take(), /^\+OK\r\n-NOPERM by a rule\r\n-EXECABORT /);
  t.equal(own.destroyed, true);
  t.not(house.wire, own);
  t.strictSame(house.sent(house.wire), [['GET', 'k']]);
});

test('a subscription in a transaction that was begun in word is queued', async (t) => {
  const house = new House(2);
  house.ask(['MULTI'], ['SUBSCRIBE', 'a']);
  t.strictSame(house.sent(house.wire), [['MULTI']]);
  house.answer(house.wire, ok);
  t.strictSame(house.sent(house.wire), [['SUBSCRIBE', 'a']]);
  house.answer(house.wire, '+QUEUED\r\n');
  house.ask(['UNSUBSCRIBE', 'a'], ['EXEC']);
  t.strictSame(house.sent(house.wire), [['UNSUBSCRIBE', 'a'], ['EXEC']], 'and nothing of ours with it');
});

test('of several shards the one with a script tells what became of it', async (t) => {
  const [idle, stuck] = ['-NOTBUSY none\r\n', '-UNKILLABLE it has written\r\n'];
  for (const [replies, wanted] of [
    [[idle, stuck], stuck],
    [[stuck, idle], stuck],
    [[idle, ok], ok],
    [[idle, idle], idle],
  ] as const) {
    const house = new House(2);
    house.ask(['SCRIPT', 'KILL']);
    for (const reply of replies) house.answer(house.wire, reply);
    t.equal(house.take(), wanted);
  }
});
