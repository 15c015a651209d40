import { test } from 'tap';
import { ReplyDecoder } from '@outrigger/core/resp';
import type { Identity } from '../../src/session/state.ts';
import { WelcomeTalk } from '../../src/upstream/welcome.ts';
import type { Refusal, Welcome } from '../../src/upstream/welcome.ts';
import { identity } from './fake-wire.ts';

const info = '$24\r\n# Server\r\nrun_id:abc\r\n\r\n\r\n';
const role = '*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n';

function talk(who: Partial<Identity>, replies: string, readonly = false, evenBusy = false) {
  const welcome = new WelcomeTalk({ ...identity, ...who }, readonly, evenBusy);
  let outcome: Welcome | Refusal | undefined;
  for (const value of new ReplyDecoder().push(Buffer.from(replies))) outcome ??= welcome.take(value);
  const said = welcome.request
    .toString()
    .split(/(?:[*$]\d+)?\r\n/)
    .filter((word) => word !== '');
  return { outcome, said: said.join(' ') };
}

test('everything is asked in one write, and read', async (t) => {
  const { outcome, said } = talk({}, `%0\r\n:7\r\n${info}${role}`);
  t.equal(said, 'HELLO 2 CLIENT ID INFO server ROLE');
  t.match(outcome, { runId: 'abc', role: 'master', clientId: 7, hello: { type: 'map' } });
});

test('whoever has a password logs in, by the protocol they speak, and chooses a database', async (t) => {
  t.equal(
    talk({ password: 'pw', user: 'me', database: 3 }, '').said,
    'AUTH me pw HELLO 2 SELECT 3 CLIENT ID INFO server ROLE',
  );
  t.equal(talk({ password: 'pw' }, '').said, 'AUTH pw HELLO 2 CLIENT ID INFO server ROLE');
  t.equal(talk({ password: 'pw', protocol: 3 }, '').said, 'AUTH pw HELLO 3 CLIENT ID INFO server ROLE');
  t.match(talk({}, '', true).said, / READONLY$/);
});

test('a server that tells nothing of itself is good enough', async (t) => {
  const { outcome } = talk(
    {},
    "-ERR unknown command 'HELLO'\r\n-NOPERM no\r\n-NOPERM no\r\n-NOPERM no\r\n-ERR no cluster\r\n",
    true,
  );
  t.strictSame(outcome, { runId: '', role: 'unknown', clientId: 0, hello: undefined });
});

test('refusals, and whether the client who asked for the connection is to hear them', async (t) => {
  const cases: [Partial<Identity>, string, RegExp, string | undefined][] = [
    [{ password: 'x' }, '-WRONGPASS no\r\n', /^it refused our login: WRONGPASS no$/, 'WRONGPASS no'],
    [{ protocol: 3 }, '-NOPROTO no\r\n', /^it refused HELLO 3: NOPROTO no$/, 'NOPROTO no'],
    [{ database: 99 }, '%0\r\n-ERR DB index is out of range\r\n', /^it refused SELECT 99: /, 'ERR DB index is out of range'], // prettier-ignore
    [{}, '-ERR max number of clients reached\r\n', /^ERR max number of clients reached$/, undefined],
    [{}, '%0\r\n:1\r\n-LOADING it is\r\n', /^LOADING/, undefined],
  ];
  for (const [who, replies, why, error] of cases) {
    const { outcome } = talk(who, replies);
    t.match(outcome, { why });
    t.equal((outcome as Refusal).error, error);
  }
});

test('a server that is busy is good enough for what ends that, and known to have told nothing', async (t) => {
  const busy = '-BUSY Redis is busy running a script.\r\n';
  const replies = `%0\r\n${busy.repeat(4)}`;
  t.match(talk({ database: 1 }, replies, false, true).outcome, { busy: true, runId: '', role: 'unknown' });
  t.match(talk({}, replies).outcome, { why: /^BUSY/ });
  t.match(talk({ protocol: 3 }, busy, false, true).outcome, { why: /^it refused HELLO 3: BUSY/ });
  t.match(talk({ password: 'pw' }, busy, false, true).outcome, { why: /^it refused our login: BUSY/ });
  t.equal((talk({}, `%0\r\n:7\r\n${info}${role}`, false, true).outcome as Welcome).busy, undefined);
});

test('what comes unasked is passed over', async (t) => {
  const { outcome } = talk({}, `%0\r\n>1\r\n+x\r\n:7\r\n${info}*1\r\n$5\r\nslave\r\n`);
  t.match(outcome, { clientId: 7, role: 'slave' });
});
