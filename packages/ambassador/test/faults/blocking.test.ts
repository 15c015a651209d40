/** Clients that leave while they block: Redis lets go of them at once, and so do we. */

import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import type { Redis } from '../../../../test/harness/index.ts';
import { startAmbassador } from './setting.ts';
import { frame, Wire } from './wire.ts';

const redis = needs('redis-server', 'redis-cli');

async function info(server: Redis, field: string): Promise<number> {
  return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(await server.cli('INFO'))?.[1]);
}

test('a client that leaves while it blocks takes nothing with it', redis, async (t) => {
  const primary = await startRedis(t);
  const amb = await startAmbassador(t, { primary: primary.address });
  const other = await Wire.open(amb.port, { t });
  await primary.cli('XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM');
  const blockers: Record<string, string> = {
    BLPOP: frame('BLPOP', 'q', '0'),
    'BLPOP behind others': frame('INCR', 'n') + frame('BLPOP', 'q', '0') + frame('INCR', 'after'),
    BLMOVE: frame('BLMOVE', 'q', 'elsewhere', 'LEFT', 'LEFT', '0'),
    BZPOPMIN: frame('BZPOPMIN', 'z', '0'),
    XREADGROUP: frame('XREADGROUP', 'GROUP', 'g', 'c', 'BLOCK', '0', 'STREAMS', 's', '>'),
    WAIT: frame('SET', 'a', 'b') + frame('WAIT', '3', '0'),
  };
  for (const [what, bytes] of Object.entries(blockers)) {
    const blocker = await Wire.open(amb.port);
    blocker.send(bytes);
    await eventually(`${what} blocks`, async () => (await info(primary, 'blocked_clients')) === 1);
    t.equal(await other.ask('ECHO', what), `$${what.length}\r\n${what}\r\n`, 'nobody else is held up');
    blocker.destroy();
    await eventually(`${what} is over`, async () => (await info(primary, 'blocked_clients')) === 0);
    t.equal(await other.ask('RPUSH', 'q', what), ':1\r\n');
    t.equal(await other.ask('LPOP', 'q'), `$${what.length}\r\n${what}\r\n`, 'it is still there');
  }
  t.equal(await primary.cli('GET', 'after'), '', 'what stood behind it was not executed');
  t.equal(await primary.cli('EXISTS', 'elsewhere'), '0');
});
