import { test } from 'tap';
import { FakeClock } from '@outrigger/core/clock';
import { leaveDeposed } from '../../src/daemon/deposed.ts';
import { defaultLimits } from '../../src/daemon/limits.ts';
import type { Line } from '../../src/upstream/line.ts';
import { nobody, Run } from '../../src/upstream/run.ts';
import { Servers } from '../../src/upstream/servers.ts';
import { FakeWires, identity, server } from '../upstream/fake-wire.ts';

/** A line that owes an answer to a primary that is deposed now. */
function deposed(answers: boolean): { line: Line; wires: FakeWires; clock: FakeClock } {
  const clock = new FakeClock();
  const wires = new FakeWires();
  const servers = new Servers({
    openWire: wires.openWire,
    soon: () => {},
    now: () => clock.now(),
    limits: defaultLimits,
    onLost: () => {},
    onErrorReply: () => {},
  });
  const line = servers.line(server, identity, 'main', false) as Line;
  wires.last.open();
  line.send(new Run(nobody, line), Buffer.from('a'), 1);
  leaveDeposed(server.name, answers, { servers, clock, waitMs: 1_000 });
  return { line, wires, clock };
}

test('one that says it is a replica is given the time to answer what it was sent', async (t) => {
  const { line, wires } = deposed(true);
  t.equal(line.state, 'open');
  wires.last.answer('-READONLY no\r\n');
  t.equal(line.state, 'closed');
});

test('but not for ever', async (t) => {
  const { line, clock } = deposed(true);
  await clock.advance(999);
  t.equal(line.state, 'open');
  await clock.advance(1);
  t.equal(line.state, 'closed');
  t.equal(line.refusal?.why, 'it is not the primary any longer, and has not answered');
});

test('the answers of any other would be of no use', async (t) => {
  const { line } = deposed(false);
  t.equal(line.state, 'closed');
});
