/** Draining does not wait for an element that may never come. */

import { eventually } from '@outrigger/core/testing';
import { test } from 'tap';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { command, startAmbassador } from '../session/setting.ts';

test(
  'a client that blocks without a timeout does not hold up the drain',
  needs('redis-server', 'redis-cli'),
  async (t) => {
    const server = await startRedis(t);
    const amb = await startAmbassador(t, { primary: server.address }, { limits: { drainQuietMs: 20 } });
    const client = await amb.client();
    client.send(command('BLPOP', 'list', '0'));
    await eventually('it blocks', async () =>
      (await server.cli('INFO', 'clients')).includes('blocked_clients:1'),
    );
    await amb.daemon.drain();
    await client.closed();
    await eventually('Redis has let go of it', async () =>
      (await server.cli('INFO', 'clients')).includes('blocked_clients:0'),
    );
    t.equal(await server.cli('RPUSH', 'list', 'x'), '1', 'nobody took the element');
  },
);
