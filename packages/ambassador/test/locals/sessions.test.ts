/** What sessions do to each other: LIST, KILL, UNBLOCK, TRACKING, by our ids and addresses, before a real server. */

import { test } from 'tap';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { answerLocally } from '../../src/locals/answer.ts';
import { clientLine } from '../../src/locals/client-line.ts';
import { House } from './house.ts';
import { Wire } from './wire.ts';

const redis = needs('redis-server', 'redis-cli');
const args = (...words: readonly string[]): Buffer[] => words.map((one) => Buffer.from(one));

test('CLIENT LIST shows the clients of the ambassador, not its connections', redis, async (t) => {
  const house = new House(t, await startRedis(t));
  const [anna, bert, cleo] = [house.guest(), house.guest(), house.guest()];
  await anna.say('CLIENT', 'SETNAME', 'anna');
  await bert.say('SELECT', '2');
  await cleo.say('SUBSCRIBE', 'news');
  house.nowMs += 5_000;
  const list = await anna.say('CLIENT', 'LIST');
  const lines = list.split('\n').filter((line) => line.startsWith('id='));
  t.match(lines[0], /^id=1 addr=10.0.0.1:1 laddr=127.0.0.1:6379 fd=0 name=anna age=5 idle=0 flags=N db=0 /);
  t.match(
    lines[0],
    / cmd=client\|list user=default redir=-1 resp=2 lib-name= lib-ver= io-thread=0 .* tot-cmds=2$/,
  );
  t.match(lines[1], /^id=2 addr=10.0.0.1:2 .* name= age=5 idle=5 flags=N db=2 .* cmd=select /);
  t.match(lines[2], /^id=3 .* flags=P .* cmd=subscribe /);
  t.equal(lines.length, 3);
  t.match(await anna.say('CLIENT', 'LIST', 'TYPE', 'pubsub'), /^\$\d+\r\nid=3 [^\n]*\n\r\n$/);
  t.match(await anna.say('CLIENT', 'LIST', 'TYPE', 'normal'), /^\$\d+\r\nid=1 [^\n]*\nid=2 [^\n]*\n\r\n$/);
  t.match(await anna.say('CLIENT', 'LIST', 'ID', '3', '9', '1', '3'), /id=3 [^]*\nid=1 [^]*\nid=3 /);
});

test('a line has every field of the server, in its order', redis, async (t) => {
  const server = await startRedis(t);
  const wire = await Wire.open(t, server.port);
  const names = (line: string): string[] =>
    line
      .trim()
      .split(' ')
      .map((field) => field.split('=')[0] ?? '');
  const theirs = names((await wire.say('CLIENT', 'INFO')).split('\r\n')[1] ?? '');
  const guest = new House(t, server).guest();
  const ours = names(clientLine(guest.state, 0));
  t.strictSame(
    ours.filter((name) => theirs.includes(name)),
    theirs,
  );
});

test('a line says what the session is doing, in the letters of Redis', redis, async (t) => {
  const guest = new House(t, await startRedis(t)).guest({ peer: '/run/redis.sock:0' });
  const { state } = guest;
  const flags = (): string => / flags=(\S+) /.exec(clientLine(state, 0))?.[1] ?? '';
  t.equal(flags(), 'U');
  for (const pin of ['wait', 'blocking', 'tracking', 'multi', 'subscribe', 'monitor', 'sticky'] as const)
    state.pins = new Set([...state.pins, pin]);
  state.noEvict = state.noTouch = true;
  t.equal(flags(), 'OPxbtUeT', 'blocked twice is blocked');
  t.match(clientLine(state, 0), / multi=0 .* cmd=NULL .* redir=0 /);
  t.match(
    clientLine(state, state.sinceMs - 5000),
    / age=0 idle=0 /,
    'a clock that went back makes nobody negative',
  );
});

test('CLIENT KILL by address, old form: anybody, the asker too', redis, async (t) => {
  const house = new House(t, await startRedis(t));
  const [anna, bert] = [house.guest(), house.guest()];
  t.equal(await anna.say('CLIENT', 'KILL', '10.0.0.1:2'), '+OK\r\n');
  t.ok(bert.gone);
  t.equal(await anna.say('CLIENT', 'KILL', '10.0.0.1:2'), '-ERR No such client\r\n');
  t.equal(await anna.say('CLIENT', 'KILL', '10.0.0.1:1'), '+OK\r\n', 'answered before it ends');
  t.ok(anna.gone);
});

test('CLIENT KILL by filters: all must hold, and the asker is spared unless it says no', redis, async (t) => {
  const house = new House(t, await startRedis(t), {
    required: false,
    check: () => 'ok',
    knows: (user) => user !== 'eve',
  });
  const asker = house.guest({ local: 'here:1' });
  const guests = (): ReturnType<House['guest']>[] =>
    [1, 2, 3].map((i) => house.guest({ id: 100 + i, local: `here:${i}`, peer: `there:${i}` }));
  const killed = async (...words: string[]): Promise<[string, string]> => {
    const [anna, bert, cleo] = guests() as [
      ReturnType<House['guest']>,
      ReturnType<House['guest']>,
      ReturnType<House['guest']>,
    ];
    await anna.say('AUTH', 'anna', 'x');
    await cleo.say('SUBSCRIBE', 'news');
    const reply = await asker.say('CLIENT', 'KILL', ...words);
    const gone = [anna, bert, cleo].flatMap((guest, i) => (guest.gone ? ['abc'[i]] : [])).join('');
    return [reply.trim(), gone];
  };
  t.strictSame(await killed('ID', '102'), [':1', 'b']);
  t.strictSame(await killed('id', '102', 'TYPE', 'pubsub'), [':0', '']);
  t.strictSame(await killed('TYPE', 'normal'), [':2', 'ab']);
  t.strictSame(await killed('TYPE', 'PUBSUB'), [':1', 'c']);
  t.strictSame(await killed('TYPE', 'replica'), [':0', '']);
  t.strictSame(await killed('ADDR', 'there:3'), [':1', 'c']);
  t.strictSame(await killed('LADDR', 'here:1'), [':1', 'a'], 'the asker has it too');
  t.strictSame(await killed('USER', 'anna'), [':1', 'a']);
  t.strictSame(await killed('USER', 'nobody-is-here-as-that'), [':0', '']);
  t.strictSame(await killed('USER', 'eve'), ["-ERR No such user 'eve'", '']);
  t.strictSame(await killed('ID', '101', 'ID', '103'), [':1', 'c'], 'the last of a kind counts');
  t.strictSame(await killed('MAXAGE', '60'), [':0', '']);
  t.strictSame(await killed('MAXAGE', 'x'), ['-ERR maxage is not an integer or out of range', '']);
  t.strictSame(await killed('MAXAGE', '0'), ['-ERR maxage should be greater than 0', '']);
  t.notOk(asker.gone);
  t.strictSame(await killed('SKIPME', 'no'), [':4', 'abc']);
  t.ok(asker.gone);
});

test('CLIENT KILL MAXAGE takes those that came so many seconds ago', redis, async (t) => {
  const house = new House(t, await startRedis(t));
  const old = house.guest();
  house.nowMs += 60_000;
  const asker = house.guest();
  const young = house.guest();
  t.equal(await asker.say('CLIENT', 'KILL', 'MAXAGE', '60'), ':1\r\n');
  t.strictSame([old.gone, young.gone], [true, false]);
});

test('without a list of users, those that sessions have are known', redis, async (t) => {
  const house = new House(t, await startRedis(t), { required: false, check: () => 'ok' });
  const asker = house.guest();
  await house.guest().say('AUTH', 'anna', 'x');
  t.equal(await asker.say('CLIENT', 'KILL', 'USER', 'anna'), ':1\r\n');
  t.equal(await asker.say('CLIENT', 'KILL', 'USER', 'anna'), "-ERR No such user 'anna'\r\n");
  t.equal(await asker.say('CLIENT', 'KILL', 'USER', 'default'), ':0\r\n');
});

test('CLIENT UNBLOCK reaches the one that waits, by the number it has here', redis, async (t) => {
  for (const [reason, want] of [
    [[], '*-1\r\n'],
    [['timeout'], '*-1\r\n'],
    [['ERROR'], '-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n'],
  ] as const) {
    const server = await startRedis(t);
    const house = new House(t, server);
    const [asker, waiter] = [house.guest(), house.guest()];
    const id = (await waiter.say('CLIENT', 'ID')).slice(1).trim();
    t.equal(await asker.say('CLIENT', 'UNBLOCK', id, ...reason), ':0\r\n', 'it does not wait yet');
    const waits = waiter.say('BLPOP', 'nothing', '0');
    const watcher = await Wire.open(t, server.port);
    while (!(await watcher.say('INFO', 'clients')).includes('blocked_clients:1')) await watcher.say('PING');
    t.equal(await asker.say('CLIENT', 'UNBLOCK', id, ...reason), ':1\r\n');
    t.equal(await waits, want);
    t.equal(await asker.say('CLIENT', 'UNBLOCK', id, ...reason), ':0\r\n', 'nor any more');
  }
});

test('invalidations go to the client a REDIRECT names, and it is named by our number', redis, async (t) => {
  const server = await startRedis(t);
  const house = new House(t, server);
  const [reader, listener, writer] = [house.guest(), house.guest(), house.guest()];
  const id = (await listener.say('CLIENT', 'ID')).slice(1).trim();
  t.match(
    await reader.say('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id),
    /^-OUTRIGGER no redirect: client 2 has no connection of its own yet; /,
  );
  t.match(
    await reader.say('CLIENT', 'TRACKING', 'ON', 'REDIRECT', '1'),
    /^-OUTRIGGER no redirect: this client has no connection of its own yet; /,
  );
  t.equal(reader.own, undefined);
  await listener.say('SUBSCRIBE', '__redis__:invalidate');
  t.equal(
    await reader.say('CLIENT', 'TRACKING', 'ON', 'PREFIX', 'REDIRECT', 'BCAST', 'REDIRECT', id),
    '+OK\r\n',
  );
  t.equal(await reader.say('CLIENT', 'GETREDIR'), `:${id}\r\n`);
  t.match(await reader.say('CLIENT', 'TRACKINGINFO'), `redirect\r\n:${id}\r\n`);
  await reader.say('HELLO', '3');
  t.match(await reader.say('CLIENT', 'TRACKINGINFO'), /^%3\r\n[^]*redirect\r\n:2\r\n/);
  await writer.say('SET', 'REDIRECT-me', '1');
  const told = await listener.own?.reply();
  t.equal(
    told?.toString(),
    '*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$11\r\nREDIRECT-me\r\n',
  );
  t.equal(await reader.say('CLIENT', 'TRACKING', 'off', 'REDIRECT', id), '+OK\r\n');
  t.equal(reader.own, undefined, 'and it shares connections again');
  house.leave(2);
  t.match(await reader.say('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id), 'does not exist');
});

test('a redirect to one who has left shows the number the server knows', redis, async (t) => {
  const house = new House(t, await startRedis(t));
  const [reader, listener] = [house.guest(), house.guest()];
  await listener.say('SUBSCRIBE', '__redis__:invalidate');
  const theirs = listener.state.serverId;
  await reader.say('CLIENT', 'TRACKING', 'ON', 'REDIRECT', '2');
  house.leave(2);
  t.equal(await reader.say('CLIENT', 'GETREDIR'), `:${theirs}\r\n`);
});

test('a connection of its own must be at the server where the redirect goes', redis, async (t) => {
  const house = new House(t, await startRedis(t));
  const [reader, listener] = [house.guest(), house.guest()];
  await listener.say('SUBSCRIBE', '__redis__:invalidate');
  const words = args('CLIENT', 'TRACKING', 'ON', 'REDIRECT', '2');
  const answer = answerLocally(words, reader.state, house, 0, house.auth);
  t.match(answer, { do: 'pin', reason: 'tracking', with: 2 });
});
