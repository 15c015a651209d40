import { test } from 'tap';
import { House } from './house.ts';

const ok = '+OK\r\n';

test('what is answered here comes behind what is owed, and in front of what follows', async (t) => {
  const house = new House();
  house.ask(['GET', 'k'], ['CLIENT', 'ID'], ['CLIENT', 'GETNAME']);
  t.equal(house.take(), '');
  house.answer(house.wire, '$1\r\nv\r\n');
  t.equal(house.take(), '$1\r\nv\r\n:7\r\n$-1\r\n');
});

test('SELECT goes to connections of that database, once one is open', async (t) => {
  const house = new House();
  house.ask(['SELECT', '1'], ['GET', 'k']);
  t.equal(house.take(), ok);
  t.equal(house.session.state.identity.database, 1);
  t.strictSame(house.sent(house.wire), [['GET', 'k']], 'SELECT is no command for others to run into');
});

test('what the server refuses in a transaction changes nothing in the session', async (t) => {
  const house = new House();
  house.ask(['MULTI'], ['SELECT', '1']);
  house.answer(house.wire, `${ok}+QUEUED\r\n`);
  house.ask(['EXEC']);
  house.answer(house.wire, '-EXECABORT Transaction discarded\r\n');
  t.equal(house.session.state.identity.database, 0);
});

test('CLIENT REPLY SKIP silences one command, local ones too', async (t) => {
  const house = new House();
  house.ask(['CLIENT', 'REPLY', 'SKIP'], ['CLIENT', 'ID'], ['CLIENT', 'ID']);
  t.equal(house.take(), ':7\r\n');
});

test('QUIT is answered, then the client is closed', async (t) => {
  const house = new House();
  house.ask(['QUIT'], ['GET', 'k']);
  t.equal(house.take(), ok);
  t.equal(house.over, 'finished');
  t.equal(house.wires.length, 0);
});

test('RESET ends a transaction and what else the connection held', async (t) => {
  const house = new House();
  house.ask(['MULTI']);
  house.answer(house.wire, ok);
  house.take();
  house.ask(['RESET']);
  t.equal(house.take(), '+RESET\r\n');
  t.ok(house.wires[0]?.destroyed);
  t.strictSame([...house.session.state.pins], []);
});
