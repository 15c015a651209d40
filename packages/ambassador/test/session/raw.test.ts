import { test } from 'tap';
import { House } from './house.ts';

const confirm = (kind: string, channel: string, count: number, type = '*'): string =>
  `${type}3\r\n$${kind.length}\r\n${kind}\r\n$${channel.length}\r\n${channel}\r\n:${count}\r\n`;
const message = '*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n';

/** The word that the server was asked to be puzzled by, as its error. */
function puzzled(house: House): string {
  const [word = ''] = house.sent(house.wire).at(-1) ?? [];
  return `-ERR unknown command '${word}', with args beginning with: \r\n`;
}

function subscribed(): House {
  const house = new House();
  house.ask(['SUBSCRIBE', 'a']);
  house.sent(house.wire);
  house.answer(house.wire, confirm('subscribe', 'a', 1));
  house.take();
  return house;
}

test('messages pass untouched, however they are cut', async (t) => {
  const house = subscribed();
  for (const byte of message) house.answer(house.wire, byte);
  t.equal(house.take(), message);
  t.equal(house.session.state.counts.sub, 1);
});

test('behind the last UNSUBSCRIBE the client is let go, and sees nothing of the question', async (t) => {
  const house = subscribed();
  house.ask(['UNSUBSCRIBE', 'a'], ['GET', 'k']);
  const { wire } = house;
  const answer = puzzled(house);
  house.answer(wire, `${message}${confirm('unsubscribe', 'a', 0)}`);
  t.equal(house.wires.length, 1, 'GET waits until it is sure');
  house.answer(wire, answer);
  t.equal(house.take(), message + confirm('unsubscribe', 'a', 0));
  t.strictSame([...house.session.state.pins], []);
  t.equal(house.wires.length, 2);
  t.strictSame(house.sent(house.wire), [['GET', 'k']], 'on a shared connection again');
});

test('an error of the client’s own is passed on; only the one with the word is ours', async (t) => {
  const house = subscribed();
  house.ask(['UNSUBSCRIBE', 'a']);
  const answer = puzzled(house);
  house.answer(house.wire, '-LOADING Redis is loading the dataset in memory\r\n');
  house.answer(house.wire, answer);
  t.equal(house.take(), '-LOADING Redis is loading the dataset in memory\r\n');
  t.ok(house.session.state.pins.has('subscribe'), 'and it is subscribed still');
});

test('a refusal comes where its command stood', async (t) => {
  const house = subscribed();
  house.refusal = (name) => (name === 'PSUBSCRIBE' ? 'NOPERM' : undefined);
  house.ask(['PING'], ['PSUBSCRIBE', 'x*'], ['PING']);
  const answer = puzzled(house);
  house.answer(house.wire, `*2\r\n$4\r\npong\r\n$0\r\n\r\n${answer}`);
  t.equal(house.take(), '*2\r\n$4\r\npong\r\n$0\r\n\r\n-NOPERM\r\n');
  t.strictSame(house.sent(house.wire), [['PING']], 'and what is behind it goes on');
});

test('the loss of its connection ends the client', async (t) => {
  const house = subscribed();
  house.lose(house.wire);
  t.equal(house.over, 'finished');
});

test('rules that change are asked again about what goes on', async (t) => {
  const house = subscribed();
  t.notOk(house.session.passing.forbidden);
  house.refusal = (name) => (name === 'SUBSCRIBE' ? 'NOPERM' : undefined);
  t.ok(house.session.passing.forbidden);
});

test('a client whose SUBSCRIBE was refused is let go', async (t) => {
  const house = new House();
  house.ask(['WATCH', 'k']);
  house.answer(house.wire, '+OK\r\n');
  house.ask(['SUBSCRIBE', 'a']);
  house.answer(house.wire, '-NOPERM no\r\n');
  t.strictSame([...house.session.state.pins], ['watch', 'subscribe'], 'it may have asked for more meanwhile');
  house.answer(house.wire, puzzled(house));
  t.equal(house.take(), '+OK\r\n-NOPERM no\r\n');
  t.strictSame([...house.session.state.pins], ['watch']);
  house.ask(['PING']);
  house.answer(house.wire, '+PONG\r\n');
  t.equal(house.take(), '+PONG\r\n');
});

test('one that is let in behind one that was refused keeps the client', async (t) => {
  const house = new House();
  house.ask(['SUBSCRIBE', 'secret'], ['SUBSCRIBE', 'a']);
  house.answer(house.wire, '-NOPERM no\r\n');
  const answer = puzzled(house);
  house.answer(house.wire, `${confirm('subscribe', 'a', 1)}${answer}${message}`);
  t.equal(house.take(), `-NOPERM no\r\n${confirm('subscribe', 'a', 1)}${message}`);
  t.strictSame([...house.session.state.pins], ['subscribe']);
});

test('keys that are watched behind a subscription are as lost with their connection as ever', async (t) => {
  const house = new House();
  house.ask(['WATCH', 'k']);
  house.answer(house.wire, '+OK\r\n');
  house.ask(['SUBSCRIBE', 'a'], ['UNSUBSCRIBE', 'a']);
  const answer = puzzled(house);
  house.answer(house.wire, `${confirm('subscribe', 'a', 1)}${confirm('unsubscribe', 'a', 0)}${answer}`);
  t.strictSame([...house.session.state.pins], ['watch']);
  house.lose(house.wire);
  t.equal(house.over, 'finished');
});
