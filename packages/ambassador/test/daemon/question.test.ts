import { FakeClock } from '@outrigger/core/clock';
import { eventually } from '@outrigger/core/testing';
import { test } from 'tap';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { question } from '../../src/daemon/question.ts';
import { Line } from '../../src/upstream/line.ts';
import { command, startAmbassador } from '../session/setting.ts';
import { Valve } from '../topology/valve.ts';
import { FakeWires, identity, server } from '../upstream/fake-wire.ts';

const redis = needs('redis-server', 'redis-cli');

class House {
  readonly clock = new FakeClock();
  readonly wires = new FakeWires();
  readonly line = new Line({
    server,
    identity,
    exclusive: true,
    readonly: false,
    evenBusy: false,
    maxDepth: 128,
    openWire: this.wires.openWire,
    soon: () => {},
    now: () => this.clock.now(),
    onLost: () => {},
    onErrorReply: () => {},
  });

  ask(): Promise<unknown> {
    return question(this.line, Buffer.from('PING\r\n'), { clock: this.clock, timeoutMs: 100 });
  }
}

test('an answer, and an error too', async (t) => {
  const house = new House();
  const asked = house.ask();
  house.wires.last.open();
  t.strictSame(house.wires.last.written, ['PING\r\n']);
  house.wires.last.answer('$4\r\nPO');
  house.wires.last.answer('NG\r\n');
  t.match(await asked, { type: 'bulk', bytes: Buffer.from('PONG') });
  const again = house.ask();
  house.wires.last.answer('-LOADING it is\r\n');
  t.match(await again, { type: 'error', text: 'LOADING it is' });
});

test('a line that is lost, or closed already', async (t) => {
  const house = new House();
  const asked = house.ask();
  house.wires.last.events.lost({ why: 'ECONNREFUSED', error: undefined });
  await t.rejects(asked, { message: 'ECONNREFUSED' });
  await t.rejects(house.ask(), { message: 'ECONNREFUSED' });
});

test('nobody waits for ever, neither for a connection nor for an answer', async (t) => {
  const house = new House();
  const tooLate = { message: /did not answer within 100 ms/ };
  const early = t.rejects(house.ask(), tooLate);
  await house.clock.advance(100);
  await early;
  house.wires.last.open();
  t.strictSame(house.wires.last.written, [], 'it is not asked any more');
  const asked = t.rejects(house.ask(), tooLate);
  await house.clock.advance(99);
  house.wires.last.answer('+PO');
  await house.clock.advance(1);
  await asked;
  const next = house.ask();
  house.wires.last.answer('NG\r\n+next\r\n');
  t.match(await next, { text: 'next' }, 'a late answer is not taken for the next');
});

test('a command nobody knows goes to the primary when that does not say what it is', redis, async (t) => {
  const path = await Valve.open(t, (await startRedis(t)).port);
  const limits = { questionTimeoutMs: 50, pollIntervalMs: 3_600_000 };
  const amb = await startAmbassador(t, { primary: path.address, maxLag: '4h' }, { limits });
  const client = await amb.client();
  t.equal(await client.ask('SET', 'k', 'v'), '+OK\r\n');
  path.shut('down');
  client.send(command('NOSUCHCOMMAND', 'x'));
  await eventually('it was sent', async () => (await amb.metric('queued_commands')) === 2);
  path.release('down');
  t.match(await client.replies(1), [/^-ERR unknown command 'NOSUCHCOMMAND'/]);
});
