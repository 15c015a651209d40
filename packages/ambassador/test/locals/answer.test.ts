/** What the differential tests cannot show: state, requests that differ from the client's, what Redis 7.0 does not know. */

import { test } from 'tap';
import { decodeReply, decodeRequest, encodeReply } from '@outrigger/core/resp';
import type { RespValue } from '@outrigger/core/resp';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { answerLocally } from '../../src/locals/answer.ts';
import type { AuthCheck, LocalAnswer } from '../../src/locals/answer.ts';
import { inProtocol } from '../../src/locals/encode.ts';
import { takeMuted } from '../../src/locals/index.ts';
import type { SessionState } from '../../src/session/state.ts';
import { House, open } from './house.ts';
import type { Guest } from './house.ts';

const redis = needs('redis-server', 'redis-cli');
const ours: AuthCheck = { required: true, check: (_, password) => (password === 'right' ? 'ok' : 'wrong') };

interface Alone {
  readonly state: SessionState;
  readonly decide: (...words: readonly string[]) => LocalAnswer;
  /** The reply, where it is decided at once. */
  readonly say: (...words: readonly string[]) => string;
}

/** A session without any server. */
function alone(auth: AuthCheck = open): Alone {
  const house = new House({ teardown: () => undefined }, { port: 0 }, auth);
  const { state } = house.guest();
  const decide = (...words: readonly string[]): LocalAnswer =>
    answerLocally(
      words.map((one) => Buffer.from(one)),
      state,
      house,
      house.nowMs,
      auth,
    );
  return {
    state,
    decide,
    say(...words) {
      const answer = decide(...words);
      return 'bytes' in answer ? Buffer.from(answer.bytes).toString() : answer.do;
    },
  };
}

const words = (request: Uint8Array | undefined): string =>
  decodeRequest(request ?? Buffer.alloc(0)).join(' ');

test('the suffix of a name chooses what reads are promised', async (t) => {
  const { state, say } = alone();
  const chosen = (name: string): unknown[] => {
    t.equal(say('CLIENT', 'SETNAME', name), '+OK\r\n');
    t.equal(state.name, name, 'kept whole');
    return [state.consistency, state.readPolicy];
  };
  t.strictSame(chosen('app#eventual'), ['eventual', undefined]);
  t.strictSame(chosen('app#session'), ['session', undefined]);
  t.strictSame(chosen('#primary'), [undefined, 'primary']);
  t.strictSame(chosen('app'), [undefined, undefined]);
  t.strictSame(chosen('app#Session'), [undefined, undefined], 'as written, or not at all');
  t.strictSame(chosen('app#session#'), [undefined, undefined]);
  chosen('x#eventual');
  t.match(say('CLIENT', 'SETNAME', 'bad name#primary'), /^-ERR Client names cannot/);
  t.equal(state.consistency, 'eventual', 'a refused name changes nothing');
  t.strictSame(chosen(''), [undefined, undefined]);
});

test('HELLO sets the name with its suffix, once a server has agreed', async (t) => {
  const { state, decide } = alone();
  const answer = decide('HELLO', '3', 'SETNAME', 'app#eventual');
  t.match(answer, {
    do: 'become',
    name: 'app#eventual',
    hello: true,
    identity: { protocol: 3, database: 0 },
  });
  t.strictSame([state.name, state.identity.protocol], ['', 2], 'nothing has changed yet');
  if (answer.do === 'become') answer.done({ hello: new Map() });
  t.strictSame([state.name, state.consistency, state.identity.protocol], ['app#eventual', 'eventual', 3]);
});

test('SETINFO is answered whatever the server knows', async (t) => {
  const { state, say } = alone();
  t.equal(say('CLIENT', 'SETINFO', 'LIB-NAME', 'ioredis'), '+OK\r\n');
  t.equal(say('client', 'setinfo', 'lib-ver', '5.4.1'), '+OK\r\n');
  t.match(say('CLIENT', 'INFO'), / lib-name=ioredis lib-ver=5\.4\.1 /);
  t.equal(
    say('CLIENT', 'SETINFO', 'lib-name', 'two words'),
    '-ERR lib-name cannot contain spaces, newlines or special characters.\r\n',
  );
  t.equal(say('CLIENT', 'SETINFO', 'colour', 'red'), "-ERR Unrecognized option 'colour'\r\n");
  t.equal(say('CLIENT', 'SETINFO', 'lib-name'), 'forward', 'the server says what is wrong');
  say('RESET');
  t.equal(state.libName, 'ioredis', 'RESET does not take it back');
  t.equal(say('CLIENT', 'SETINFO', 'lib-name', ''), '+OK\r\n');
  t.equal(state.libName, '');
});

test('a quotation in an error cannot end its line', async (t) => {
  const { say } = alone();
  for (const reply of [
    say('CLIENT', 'SETINFO', 'x\r\n+OK\r\n', 'v'),
    say('HELLO', '2', 'x\r\n+OK'),
    say('CLIENT', 'LIST', 'TYPE', 'x\r\n+OK'),
    say('CLIENT', 'KILL', 'USER', 'x\r\n+OK'),
  ]) {
    t.equal(reply.indexOf('\r\n'), reply.length - 2, JSON.stringify(reply));
  }
});

test('a subcommand nobody here knows goes to a connection of its own', async (t) => {
  const { decide } = alone();
  t.strictSame(decide('CLIENT', 'CAPA', 'redirect'), { do: 'pin', reason: 'sticky' });
  t.equal(decide('PING').do, 'forward', "what is not local at all is the server's");
});

test('a refused HELLO has changed nothing, whatever the order of its options', async (t) => {
  const { state, say } = alone(ours);
  t.match(say('HELLO', '3', 'SETNAME', 'early', 'AUTH', 'default', 'bad'), /^-WRONGPASS /);
  t.match(
    say('HELLO', '3', 'AUTH', 'default', 'right', 'SETNAME'),
    /^-ERR Syntax error in HELLO option 'SETNAME'/,
  );
  t.strictSame([state.name, state.identity.protocol, state.authenticated], ['', 2, false]);
});

test('users that are checked here share the lines of the configured user', async (t) => {
  const { state, decide, say } = alone(ours);
  t.equal(say('AUTH', 'bob', 'right'), '+OK\r\n');
  t.strictSame([state.userName, state.authenticated], ['bob', true]);
  t.strictSame(state.identity, { user: undefined, password: undefined, protocol: 2, database: 0 });
  const answer = decide('HELLO', '3', 'AUTH', 'eve', 'right', 'SETNAME', 'x');
  t.equal(answer.do === 'become' && words(answer.request), 'HELLO 3', 'no server is told our passwords');
  t.equal(state.userName, 'bob');
  t.equal(say('AUTH', 'wrong'), '-WRONGPASS invalid username-password pair or user is disabled.\r\n');
  t.ok(state.authenticated, 'a wrong password takes nothing away');
});

test('a password where none is asked for is refused as Redis refuses it', async (t) => {
  const { say } = alone({ required: false, check: () => 'wrong' });
  t.match(say('AUTH', 'x'), /^-ERR AUTH <password> called without any password configured/);
  t.match(say('AUTH', 'default', 'x'), /^-WRONGPASS /);
});

test('users that are passed through have lines of their own', async (t) => {
  const { state, decide } = alone();
  const one = decide('AUTH', 'pw');
  t.match(one, { do: 'become', identity: { user: undefined, password: 'pw' }, hello: false });
  if (one.do === 'become') t.equal(Buffer.from(one.done({ hello: new Map() })).toString(), '+OK\r\n');
  t.strictSame([state.userName, state.identity.password], ['default', 'pw']);
  t.match(decide('AUTH', 'pw'), { do: 'reply' }, 'the same again is no change');
  const two = decide('HELLO', '3', 'AUTH', 'bob', 'b', 'SETNAME', 'x');
  t.equal(two.do === 'become' && words(two.request), 'HELLO 3 AUTH bob b');
  t.match(two, { identity: { user: 'bob', password: 'b', protocol: 3 } });
  t.match(decide('HELLO'), { do: 'become', identity: { password: 'pw', protocol: 2 } });
});

test('nothing is said to a stranger but how to stop being one', async (t) => {
  const { say, decide } = alone(ours);
  for (const one of [
    'CLIENT LIST',
    'CLIENT ID',
    'SELECT 1',
    'CLIENT KILL TYPE normal',
    'READONLY',
    'CLIENT REPLY OFF',
    'CLIENT NOSUCH',
  ]) {
    t.equal(say(...one.split(' ')), '-NOAUTH Authentication required.\r\n', one);
  }
  t.equal(
    say('SELECT'),
    "-ERR wrong number of arguments for 'select' command\r\n",
    'nor is it sent to a server',
  );
  t.equal(say('CLIENT'), "-ERR wrong number of arguments for 'client' command\r\n");
  t.equal(decide('QUIT').do, 'close');
  t.equal(decide('RESET').do, 'reset');
});

test('RESET is a new connection, as the configuration has it', async (t) => {
  const { state, decide, say } = alone(ours);
  say('AUTH', 'bob', 'right');
  say('CLIENT', 'SETNAME', 'x#eventual');
  state.identity = { user: 'u', password: 'p', protocol: 3, database: 4 };
  state.noEvict = state.noTouch = true;
  state.pins = new Set(['tracking']);
  state.serverId = 7;
  const answer = decide('RESET');
  t.match(answer, { do: 'reset', loud: false });
  t.match(state, {
    name: '',
    consistency: undefined,
    userName: 'default',
    authenticated: false,
    reply: 'on',
  });
  t.match(state, { noEvict: false, noTouch: false });
  t.strictSame(state.identity, { user: undefined, password: undefined, protocol: 2, database: 0 });
  t.strictSame(
    [[...state.pins], state.serverId],
    [['tracking'], 7],
    'which connection it has the engine knows',
  );
});

test('SKIP is for one command', async (t) => {
  const { state, say } = alone();
  t.notOk(takeMuted(state));
  t.equal(say('CLIENT', 'REPLY', 'SKIP'), '');
  t.ok(takeMuted(state));
  t.notOk(takeMuted(state));
  say('CLIENT', 'REPLY', 'OFF');
  t.ok(takeMuted(state));
  t.ok(takeMuted(state), 'OFF is for good');
});

test('NO-TOUCH is believed only when the server took it', async (t) => {
  const { state, decide } = alone();
  const on = decide('CLIENT', 'NO-TOUCH', 'on');
  t.match(on, { do: 'pin', reason: 'sticky' });
  t.notOk(state.noTouch);
  if (on.do === 'pin') on.agreed?.();
  t.ok(state.noTouch);
  const off = decide('CLIENT', 'NO-TOUCH', 'OFF');
  t.equal(off.do, 'forward');
  if (off.do === 'forward') off.agreed?.();
  t.notOk(state.noTouch);
});

test('what cannot be queued makes the transaction fail, and says so', redis, async (t) => {
  const house = new House(t, await startRedis(t));
  const commands = [
    'CLIENT ID',
    'CLIENT KILL TYPE normal SKIPME no',
    'CLIENT REPLY OFF',
    'CLIENT UNBLOCK 1',
    'CLIENT SETNAME x',
    'CLIENT TRACKING on',
    'CLIENT NO-EVICT on',
    'HELLO 3',
    'AUTH x y',
    'READONLY',
    'CLIENT NOSUCH',
  ];
  for (const command of commands) {
    const guest: Guest = house.guest();
    await guest.say('MULTI');
    const text = /^-OUTRIGGER not in a transaction: (.*) cannot be queued; send it before MULTI\r\n$/;
    const refusal = text.exec(await guest.say(...command.split(' ')))?.[1] ?? '';
    t.ok(command.startsWith(refusal) && refusal !== '', command);
    t.equal(await guest.say('SET', 'k', 'v'), '+QUEUED\r\n');
    t.match(await guest.say('EXEC'), /^-EXECABORT /, command);
    t.equal(await guest.say('GET', 'k'), '$-1\r\n');
    house.leave(guest.state.id);
  }
});

test("the greeting is the server's, with our number, in the new protocol", async (t) => {
  const bulk = (text: string): RespValue => ({ type: 'bulk', bytes: Buffer.from(text) });
  const module: RespValue = {
    type: 'list',
    items: [bulk('name'), bulk('search'), bulk('ver'), { type: 'integer', value: 20811 }],
  };
  const hello = new Map<string, RespValue>([
    ['server', bulk('redis')],
    ['proto', { type: 'integer', value: 2 }],
    ['id', { type: 'integer', value: 999 }],
    ['mode', bulk('cluster')],
    ['modules', { type: 'list', items: [module] }],
  ]);
  const greeted = (protocol: string): RespValue => {
    const answer = alone().decide('HELLO', protocol);
    if (answer.do !== 'become') throw new Error(answer.do);
    return decodeReply(answer.done({ hello }));
  };
  const three = greeted('3');
  t.same(three, {
    type: 'map',
    entries: [
      [bulk('server'), bulk('redis')],
      [bulk('proto'), { type: 'integer', value: 3 }],
      [bulk('id'), { type: 'integer', value: 1 }],
      [bulk('mode'), bulk('standalone')],
      [
        bulk('modules'),
        {
          type: 'list',
          items: [
            {
              type: 'map',
              entries: [
                [bulk('name'), bulk('search')],
                [bulk('ver'), { type: 'integer', value: 20811 }],
              ],
            },
          ],
        },
      ],
    ],
  });
  const two = greeted('2');
  t.equal(two.type, 'list');
  t.same(two.type === 'list' && two.items.at(-1), { type: 'list', items: [module] });
  hello.set('modules', { type: 'list', items: [bulk('odd')] });
  t.same(greeted('3').type, 'map', 'a module that is no list of pairs is passed on');
  hello.set('modules', { type: 'null' });
  t.match(Buffer.from(encodeReply(greeted('2'))).toString(), 'modules\r\n$-1\r\n');
});

test('values lose in RESP2 what it has no type for, and gain nothing in RESP3', async (t) => {
  const text = (value: RespValue, protocol: 2 | 3): string =>
    encodeReply(inProtocol(value, protocol)).toString();
  const cases: readonly (readonly [value: RespValue, two: string, three: string])[] = [
    [{ type: 'boolean', value: true }, ':1\r\n', '#t\r\n'],
    [{ type: 'boolean', value: false }, ':0\r\n', '#f\r\n'],
    [{ type: 'null' }, '$-1\r\n', '_\r\n'],
    [{ type: 'nullBulk' }, '$-1\r\n', '_\r\n'],
    [{ type: 'verbatim', format: 'txt', text: 'x' }, '$1\r\nx\r\n', '=5\r\ntxt:x\r\n'],
    [{ type: 'set', items: [{ type: 'null' }] }, '*1\r\n$-1\r\n', '~1\r\n_\r\n'],
    [{ type: 'simple', text: 'OK' }, '+OK\r\n', '+OK\r\n'],
  ];
  for (const [value, two, three] of cases) {
    t.equal(text(value, 2), two, value.type);
    t.equal(text(value, 3), three, value.type);
  }
});
