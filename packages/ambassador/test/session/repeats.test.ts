import { test } from 'tap';
import { House } from './house.ts';
import type { HouseWire } from './house.ts';

const ok = '+OK\r\n';
const nil = '$-1\r\n';
const loading = '-LOADING Redis is loading the dataset in memory\r\n';
const readonly = "-READONLY You can't write against a read only replica.\r\n";
const set = (value: string): string[] => ['SET', 'k', value];
const get = ['GET', 'k'];
/** Slots of a two-shard house: `a` is at the first, `b` at the second. */
const moved = (to: string): string => `-MOVED 15495 ${to}\r\n`;

/** A house whose client has been answered once, so that its shared connection is open. */
function opened(primaries = 1): { house: House; wire: HouseWire } {
  const house = new House(primaries);
  house.ask(primaries === 1 ? get : ['GET', 'a']);
  const { wire } = house;
  house.answer(wire, nil);
  house.sent(wire);
  house.take();
  return { house, wire };
}

test('what was rejected is asked again, with all that is behind it, in its order', async (t) => {
  const { house, wire } = opened();
  house.ask(set('1'), set('2'), get);
  house.sent(wire);
  house.answer(wire, loading);
  t.equal(house.take(), '', 'the client hears nothing yet');
  house.answer(wire, loading + loading);
  house.pass(20);
  t.strictSame(house.sent(wire), [set('1'), set('2'), get]);
  house.answer(wire, `${ok}${ok}$1\r\n2\r\n`);
  t.equal(house.take(), `${ok}${ok}$1\r\n2\r\n`);
});

test('nothing is asked again where something behind it was executed: that would swap effects', async (t) => {
  const { house, wire } = opened();
  house.ask(set('1'), set('2'));
  house.sent(wire);
  house.answer(wire, loading + ok);
  t.equal(house.take(), loading + ok, 'the servers’ own answers');
  house.pass(5_000);
  t.strictSame(house.sent(wire), []);
});

test('reads behind it change nothing, so they do not hinder it', async (t) => {
  const { house, wire } = opened();
  house.ask(set('1'), get);
  house.sent(wire);
  house.answer(wire, loading + nil);
  house.pass(20);
  t.strictSame(house.sent(wire), [set('1'), get], 'the read again too: it has to see the write');
  house.answer(wire, `${ok}$1\r\n1\r\n`);
  t.equal(house.take(), `${ok}$1\r\n1\r\n`);
});

test('what comes while answers are kept back waits', async (t) => {
  const { house, wire } = opened();
  house.ask(set('1'), set('2'));
  house.answer(wire, loading);
  house.sent(wire);
  house.ask(set('3'));
  t.strictSame(house.sent(wire), []);
  house.answer(wire, loading);
  house.pass(20);
  t.strictSame(house.sent(wire), [set('1'), set('2'), set('3')]);
});

test('in front of MULTI that took effect nothing is asked again: it would be inside', async (t) => {
  const house = new House();
  house.ask(['BLPOP', 'list', '0']);
  const { wire } = house;
  house.ask(['WATCH', 'k'], ['MULTI']);
  house.sent(wire);
  house.answer(wire, loading);
  t.equal(house.take(), '');
  house.answer(wire, ok);
  house.answer(wire, ok);
  t.equal(house.take(), loading + ok + ok);
  house.pass(5_000);
  t.strictSame(house.sent(wire), []);
});

test('it ends: after a time the client gets the server’s own answer', async (t) => {
  const { house, wire } = opened();
  house.ask(set('1'));
  let times = 0;
  for (let i = 0; i < 200 && house.got === ''; i++) {
    const asked = house.sent(wire).length;
    times += asked;
    if (asked > 0) house.answer(wire, loading);
    house.pass(10);
  }
  t.equal(house.take(), loading);
  t.ok(times > 3, `asked ${times} times`);
  t.ok(house.nowMs <= 1_500, `gave up after ${house.nowMs} ms`);
  house.ask(set('2'));
  house.answer(wire, ok);
  t.equal(house.take(), ok, 'and what follows is not kept back');
});

test('a script that met a read-only server may have written before: it is not asked again', async (t) => {
  const { house } = opened();
  house.ask(['EVAL', 'x', '0']);
  const { wire } = house;
  house.sent(wire);
  const error = `${readonly.trim()} script: d8f2, on @user_script:1.\r\n`;
  house.answer(wire, error);
  t.equal(house.take(), error);
  house.pass(5_000);
  t.strictSame(house.sent(wire), []);
});

test('a lost write is reported and never sent again; reads behind it are asked again', async (t) => {
  const { house, wire } = opened();
  house.ask(get, set('1'), get);
  house.sent(wire);
  house.answer(wire, nil);
  t.equal(house.take(), nil);
  house.lose(wire);
  t.match(house.take(), /^-OUTRIGGER write outcome unknown: [^\r]*\r\n$/, 'one error, for the write');
  t.not(house.wire, wire);
  t.strictSame(house.sent(house.wire), [get]);
  house.answer(house.wire, '$1\r\n1\r\n');
  t.equal(house.take(), '$1\r\n1\r\n');
});

test('a write that had not left when its line was lost is asked elsewhere: nobody has seen it', async (t) => {
  const { house, wire } = opened();
  house.ask(set('1'), set('2'), set('3'), set('4'));
  house.ask(set('5'), get);
  t.strictSame(house.sent(wire), [set('1'), set('2'), set('3'), set('4')], 'the others wait for these');
  house.lose(wire);
  t.match(house.take(), /^(-OUTRIGGER write outcome unknown: [^\r]+\r\n){4}$/);
  t.strictSame(house.sent(house.wire), [set('5'), get]);
  house.answer(house.wire, `${ok}$1\r\n5\r\n`);
  t.equal(house.take(), `${ok}$1\r\n5\r\n`);
});

test('reads in front of a lost write are reported with it: asked again they might show it', async (t) => {
  const { house, wire } = opened();
  house.ask(get, set('1'));
  house.lose(wire);
  t.equal(house.take().match(/outcome unknown/g)?.length, 2);
  t.equal(house.wires.length, 1, 'nothing is sent');
});

test('half an answer cannot be made whole: the client is cut off', async (t) => {
  const { house, wire } = opened();
  house.ask(get);
  house.answer(wire, '$5\r\nhe');
  house.lose(wire);
  t.equal(house.over, 'aborted');
});

test('a read that is lost again and again gets an error', async (t) => {
  const { house } = opened();
  house.ask(get);
  for (let i = 0; i < 20 && house.got === ''; i++) house.lose(house.wire);
  t.match(house.take(), /^-OUTRIGGER no answer: /);
  t.ok(house.wires.length < 15);
});

test('ASK: there, once, behind ASKING; the next command goes the old way', async (t) => {
  const { house, wire } = opened(2);
  const [here, there] = house.servers;
  house.ask(['GET', 'a']);
  t.strictSame(house.sent(wire), [['GET', 'a']]);
  house.answer(wire, `-ASK 15495 ${wire.server === here?.name ? there?.name : here?.name}\r\n`);
  const other = house.wire;
  t.not(other.server, wire.server);
  t.strictSame(house.sent(other), [['ASKING'], ['GET', 'a']]);
  house.answer(other, `${ok}$1\r\nv\r\n`);
  t.equal(house.take(), '$1\r\nv\r\n', 'the answer to ASKING is nobody’s');
  house.ask(['GET', 'a']);
  t.strictSame(house.sent(wire), [['GET', 'a']]);
});

test('MOVED tells the realm; TRYAGAIN waits a moment', async (t) => {
  const { house, wire } = opened(2);
  house.ask(['GET', 'a']);
  house.sent(wire);
  house.answer(wire, moved('10.0.0.2:6379'));
  t.has(house.doubts, [{ kind: 'moved', slot: 15495, to: '10.0.0.2:6379' }]);
  t.strictSame(house.sent(wire), [['GET', 'a']], 'decided anew: this realm has not learned');
  house.answer(wire, '-TRYAGAIN Multiple keys request during rehashing of slot\r\n');
  t.strictSame(house.sent(wire), []);
  house.pass(20);
  t.strictSame(house.sent(wire), [['GET', 'a']]);
});

test('a part of a command that is lost is not waited for by the others', async (t) => {
  const { house } = opened(2);
  house.ask(['DEL', 'a', 'b']);
  const first = house.wires.filter((wire) => house.sent(wire).some(([name]) => name === 'DEL'));
  t.equal(first.length, 1, 'one part after the other');
  house.lose(first[0] as HouseWire);
  const second = house.wires.find((wire) => house.sent(wire).some(([name]) => name === 'DEL'));
  t.ok(second, 'the next part goes out');
  house.answer(second as HouseWire, ':1\r\n');
  t.match(house.take(), /^-OUTRIGGER write outcome unknown/, 'one answer: the part that is in doubt');
});

test('NOSCRIPT: loaded where it was missed and asked again, unless nobody has shown it before', async (t) => {
  const { house } = opened();
  const noScript = '-NOSCRIPT No matching script. Please use EVAL.\r\n';
  const sha = house.scripts.learn(Buffer.from('return 1'));
  house.ask(['EVALSHA', sha, '0'], ['EVALSHA', sha, '0']);
  const { wire } = house;
  house.sent(wire);
  house.answer(wire, noScript + noScript);
  t.strictSame(house.sent(wire), [
    ['SCRIPT', 'LOAD', 'return 1'],
    ['EVALSHA', sha, '0'],
    ['EVALSHA', sha, '0'],
  ]);
  house.answer(wire, `$40\r\n${sha}\r\n:1\r\n:1\r\n`);
  t.equal(house.take(), ':1\r\n:1\r\n');
  const unknown = 'f'.repeat(40);
  house.ask(['EVALSHA', unknown, '0']);
  house.answer(wire, noScript);
  t.equal(house.take(), noScript);
});
