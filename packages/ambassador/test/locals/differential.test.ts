/** The same words to a real server and to the house before one: the replies must be the same bytes. */

import { test } from 'tap';
import { seededRandom } from '@outrigger/core/clock';
import { encodeCommand } from '@outrigger/core/resp';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import type { Redis, Teardown } from '../../../../test/harness/index.ts';
import type { AuthCheck } from '../../src/locals/answer.ts';
import { House } from './house.ts';
import { Wire } from './wire.ts';

const seed = Number(process.env['PROGRAM_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const redis = needs('redis-server', 'redis-cli');

type Words = readonly string[];

function lines(text: string): Words[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => (line.match(/"[^"]*"|\S+/g) ?? []).map((one) => one.replaceAll('"', '')));
}

/** What a program is answered, reply by reply, without those CLIENT REPLY has silenced. */
async function directly(wire: Wire, program: readonly Words[]): Promise<string[]> {
  const end: Words[] = [
    ['CLIENT', 'REPLY', 'ON'],
    ['ECHO', 'the-end'],
  ];
  for (const words of [...program, ...end]) wire.send(encodeCommand(words));
  const replies: string[] = [];
  while (replies.at(-1) !== '$7\r\nthe-end\r\n') replies.push((await wire.reply()).toString('latin1'));
  return replies.slice(0, -2);
}

/** Direct and through the house, by clients with the same number and address. */
async function compare(
  t: Teardown & { strictSame(got: unknown, want: unknown, message: string): unknown },
  { plain, house }: { readonly plain: Redis; readonly house: House },
  program: readonly Words[],
  message: string,
): Promise<void> {
  const wire = await Wire.open(t, plain.port);
  const admin = await Wire.open(t, plain.port);
  // Where no password is asked for, the default user takes any.
  await admin.say('AUTH', 'default', 'sesame');
  await admin.say('FLUSHALL');
  const listed = (await admin.say('CLIENT', 'LIST'))
    .split('\n')
    .find((line) => line.includes(` addr=${wire.peer} `));
  const id = Number(/^id=(\d+)/.exec(listed ?? '')?.[1]);
  const want = await directly(wire, program);
  wire.close();
  await admin.say('FLUSHALL');
  const guest = house.guest({ id, peer: wire.peer, local: `127.0.0.1:${plain.port}` });
  const got: string[] = [];
  for (const words of program) got.push(await guest.say(...words));
  house.leave(id);
  t.strictSame(got.filter((reply) => reply !== '').map(known), want.map(known), message);
}

/** CLIENT LIST and INFO without the fields that only a server's connection has, or that came after 7.0. */
function known(reply: string): string {
  if (!/^[$=]\d+\r\n(txt:)?id=/.test(reply)) return reply;
  const ours = new Set([
    'id',
    'addr',
    'laddr',
    'name',
    'flags',
    'db',
    'multi',
    'events',
    'cmd',
    'user',
    'redir',
    'resp',
  ]);
  const told = reply
    .slice(reply.indexOf('id='))
    .split('\n')
    .map((line) =>
      line
        .split(' ')
        .filter((field) => ours.has(field.split('=')[0] ?? ''))
        // Whether a tracking client broadcasts only its server knows.
        .map((field) => field.replace(/^flags=tB/, 'flags=t'))
        .join(' '),
    );
  return `${reply[0]}${told.join('\n')}`;
}

const programs: Readonly<Record<string, string>> = {
  names: `
    CLIENT GETNAME
    CLIENT SETNAME "a b"
    CLIENT SETNAME app#eventual
    CLIENT GETNAME
    CLIENT INFO
    client getname x
    CLIENT SETNAME ""
    CLIENT GETNAME
    CLIENT SETNAME
    CLIENT SETNAME a b
    CLIENT SETNAME "tab\there"
    CLIENT SETNAME ~!
    HELLO 3
    CLIENT INFO
    CLIENT SETNAME ""
    CLIENT GETNAME`,
  numbers: `
    CLIENT ID
    CLIENT ID x
    CLIENT
    CLIENT NOSUCH
    CLIENT NOSUCH x y
    CLIENT ID`,
  lists: `
    CLIENT LIST ID
    CLIENT LIST ID a
    CLIENT LIST ID 0
    CLIENT LIST ID -1 99999999
    CLIENT LIST ID 1 ID 2
    CLIENT LIST TYPE foo
    CLIENT LIST FOO
    CLIENT LIST FOO bar
    CLIENT LIST TYPE
    CLIENT LIST TYPE normal x
    CLIENT LIST TYPE PUBSUB
    CLIENT LIST TYPE replica
    CLIENT LIST TYPE slave
    CLIENT LIST TYPE master
    HELLO 3
    CLIENT LIST TYPE pubsub
    CLIENT LIST ID 99999999`,
  kills: `
    CLIENT KILL
    CLIENT KILL 1.2.3.4:5
    CLIENT KILL ID
    CLIENT KILL ID x
    CLIENT KILL ID 0
    CLIENT KILL ID -5
    CLIENT KILL ID 01
    CLIENT KILL ID 99999999
    CLIENT KILL ID 99999999 ADDR
    CLIENT KILL TYPE x
    CLIENT KILL TYPE master SKIPME no
    CLIENT KILL TYPE pubsub SKIPME yes
    CLIENT KILL TYPE normal TYPE replica
    CLIENT KILL USER nosuch
    CLIENT KILL USER default SKIPME yes ID 99999999
    CLIENT KILL SKIPME maybe
    CLIENT KILL FOO bar
    CLIENT KILL ADDR x
    CLIENT KILL LADDR x
    CLIENT KILL TYPE x FOO bar
    CLIENT KILL FOO bar TYPE x
    PING`,
  replies: `
    CLIENT REPLY
    CLIENT REPLY FOO
    CLIENT REPLY ON
    CLIENT REPLY SKIP
    PING one
    PING two
    CLIENT REPLY SKIP
    CLIENT REPLY SKIP
    PING three
    PING four
    CLIENT REPLY SKIP
    CLIENT REPLY ON
    PING five
    CLIENT REPLY SKIP
    CLIENT REPLY OFF
    PING six
    CLIENT REPLY ON
    client reply off
    CLIENT REPLY SKIP
    PING seven
    PING eight
    CLIENT REPLY FOO
    CLIENT SETNAME muted
    CLIENT REPLY ON
    CLIENT GETNAME
    CLIENT REPLY SKIP
    RESET
    PING nine
    CLIENT REPLY OFF
    RESET
    PING ten
    CLIENT REPLY OFF
    SELECT 3
    HELLO 3
    CLIENT REPLY ON
    CLIENT INFO`,
  hello: `
    HELLO
    HELLO x
    HELLO 4
    HELLO 1
    HELLO 02
    HELLO 2 FOO
    HELLO 2 SETNAME "a b"
    HELLO 2 SETNAME
    HELLO 2 AUTH a b
    HELLO 2 AUTH a
    HELLO 2 FOO AUTH a b
    HELLO AUTH a b
    HELLO ""
    HELLO 99999999999999999999
    HELLO 3 SETNAME zz
    HELLO
    CLIENT GETNAME
    GET missing
    HELLO 4
    HELLO 2 AUTH default anything
    CLIENT INFO
    GET missing
    HELLO 3 AUTH default x SETNAME both
    CLIENT INFO
    HELLO 2 SETNAME ""
    CLIENT GETNAME`,
  login: `
    AUTH
    AUTH x
    AUTH a b
    AUTH a b c
    AUTH default b
    CLIENT INFO
    PING`,
  databases: `
    SET where zero
    SELECT x
    SELECT 99
    SELECT -1
    SELECT 01
    SELECT 9999999999
    SELECT -9999999999
    SELECT 99999999999999999999
    SELECT
    SELECT 1 2
    GET where
    SELECT 1
    GET where
    SET where one
    SELECT 1
    CLIENT INFO
    HELLO 3
    GET where
    SELECT 0
    GET where
    DEL where`,
  fresh: `
    SELECT 2
    CLIENT SETNAME x
    HELLO 3
    RESET
    CLIENT INFO
    CLIENT GETNAME
    RESET x
    RESET`,
  clusterless: `
    READONLY
    READWRITE
    ASKING
    READONLY x
    ASKING x`,
  sparing: `
    CLIENT NO-EVICT
    CLIENT NO-EVICT x
    CLIENT NO-EVICT off
    CLIENT NO-EVICT on
    CLIENT INFO
    CLIENT NO-EVICT off
    CLIENT INFO
    CLIENT NO-TOUCH on
    CLIENT INFO`,
  tracking: `
    CLIENT TRACKING
    CLIENT TRACKING x
    CLIENT GETREDIR
    CLIENT TRACKINGINFO
    CLIENT CACHING yes
    CLIENT TRACKING on REDIRECT 99999999
    CLIENT TRACKING off REDIRECT 99999999
    CLIENT TRACKING off REDIRECT x
    CLIENT TRACKING on REDIRECT x
    CLIENT TRACKING on REDIRECT 0
    CLIENT TRACKING on REDIRECT
    CLIENT TRACKING on REDIRECT 99999999 REDIRECT 2
    CLIENT TRACKING foo REDIRECT 99999999
    CLIENT TRACKING on NOSUCH REDIRECT 99999999
    CLIENT TRACKING on PREFIX redirect
    CLIENT TRACKING on BCAST PREFIX redirect PREFIX x
    CLIENT TRACKINGINFO
    CLIENT TRACKING off
    CLIENT GETREDIR
    CLIENT TRACKINGINFO
    CLIENT TRACKING on OPTIN
    CLIENT CACHING yes
    CLIENT CACHING no
    CLIENT CACHING foo
    CLIENT CACHING
    CLIENT GETREDIR
    CLIENT TRACKINGINFO
    CLIENT INFO
    HELLO 3
    CLIENT TRACKINGINFO
    SELECT 1
    CLIENT INFO
    RESET
    CLIENT TRACKINGINFO
    CLIENT INFO`,
  unblocking: `
    CLIENT UNBLOCK
    CLIENT UNBLOCK x
    CLIENT UNBLOCK 01
    CLIENT UNBLOCK 99999999
    CLIENT UNBLOCK -1
    CLIENT UNBLOCK 99999999 foo
    CLIENT UNBLOCK 99999999 timeout
    CLIENT UNBLOCK 99999999 ERROR
    CLIENT UNBLOCK x foo
    CLIENT UNBLOCK 99999999 TIMEOUT x`,
  passed: `
    CLIENT PAUSE x
    CLIENT PAUSE
    CLIENT UNPAUSE
    CLIENT UNPAUSE x
    CLIENT HELP
    CLIENT GETREDIR x`,
  subscribed: `
    SUBSCRIBE news
    CLIENT ID
    client getname
    HELLO 3
    SELECT 1
    AUTH x
    READONLY
    CLIENT
    RESET
    CLIENT ID`,
  transaction: `
    MULTI
    SELECT 3
    SET inside 3
    CLIENT UNPAUSE
    EXEC
    CLIENT INFO
    GET inside
    DEL inside
    MULTI
    SELECT 4
    DISCARD
    CLIENT INFO
    MULTI
    CLIENT SETNAME
    SELECT 4
    EXEC
    CLIENT INFO
    MULTI
    SELECT 5
    RESET
    CLIENT INFO`,
};

for (const [name, program] of Object.entries(programs)) {
  test(`answers as Redis does: ${name}`, redis, async (t) => {
    const plain = await startRedis(t);
    await compare(t, { plain, house: new House(t, plain) }, lines(program), name);
  });
}

/** A server with passwords, and a house with the same ones before a server without. */
const people: AuthCheck = {
  required: true,
  check: (user = 'default', password) =>
    ({ default: 'sesame', bob: 'builder' })[user] === password ? 'ok' : 'wrong',
  knows: (user) => user === 'default' || user === 'bob',
};

const guarded = `
  HELLO
  HELLO 3
  HELLO 4
  HELLO 3 SETNAME "a b"
  HELLO 3 FOO
  CLIENT ID
  SELECT 1
  CLIENT KILL TYPE normal
  CLIENT REPLY OFF
  AUTH
  AUTH bad
  AUTH default bad
  AUTH a b c
  HELLO 3 AUTH bob bad
  RESET
  RESET x
  AUTH sesame
  CLIENT GETNAME
  AUTH bad
  CLIENT INFO
  SELECT 1
  RESET
  CLIENT ID
  HELLO 3 AUTH bob builder SETNAME y
  CLIENT INFO
  CLIENT KILL USER bob
  CLIENT KILL USER eve
  AUTH default sesame
  CLIENT INFO
  RESET
  AUTH bob builder
  CLIENT INFO`;

test('passwords are asked for as Redis asks', redis, async (t) => {
  const plain = await startRedis(t);
  const users = { requirepass: 'sesame', user: 'bob on >builder ~* &* +@all' };
  const strict = await startRedis(t, { config: users });
  await compare(t, { plain: strict, house: new House(t, plain, people) }, lines(guarded), 'users of our own');
});

test('passwords that are passed through are the servers to judge', redis, async (t) => {
  const users = { requirepass: 'sesame', user: 'bob on >builder ~* &* +@all' };
  const strict = await startRedis(t, { config: users });
  const house = new House(t, strict, { required: true, check: () => 'ask-server' });
  const program = lines(guarded).filter((words) => !words.includes('KILL'));
  await compare(t, { plain: strict, house }, program, 'users of the servers');
});

test(`random words are answered as Redis answers them (PROGRAM_SEED=${seed})`, redis, async (t) => {
  const plain = await startRedis(t);
  const random = seededRandom(seed);
  // Without what depends on what was said before in ways of 7.0 alone: since 7.2 RESET ends NO-EVICT.
  const words = Object.entries(programs)
    .filter(([name]) => !['transaction', 'subscribed', 'sparing'].includes(name))
    .flatMap(([, program]) => lines(program));
  const house = new House(t, plain);
  for (let round = 0; round < 20; round++) {
    const program = Array.from(
      { length: 60 },
      () => words[Math.floor(random.next() * words.length)] as Words,
    );
    await compare(t, { plain, house }, program, `round ${round}`);
  }
});
