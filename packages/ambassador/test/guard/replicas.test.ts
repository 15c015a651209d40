/** What the engine measures of replicas decides which of them is asked. */

import { eventually } from '@outrigger/core/testing';
import { test } from 'tap';
import { needs } from '../../../../test/harness/index.ts';
import { command, startAmbassador, startServers } from '../session/setting.ts';
import { Valve } from '../topology/valve.ts';

const redis = needs('redis-server', 'redis-cli');

interface Described {
  readonly realms: readonly {
    readonly shards: readonly {
      readonly servers: readonly { server: string; outstanding: number; latencyMs: number | null }[];
    }[];
  }[];
}

test('what each replica owes and how fast it answers is measured', redis, async (t) => {
  const { primary, replicas } = await startServers(t, 2);
  const [stuck, quick] = replicas;
  const valve = await Valve.open(t, stuck?.port ?? 0);
  const amb = await startAmbassador(t, {
    primary: primary.address,
    replica: [valve.address, quick?.address],
    consistency: 'eventual',
    limits: { pollTimeout: '60s' },
  });
  const servers = async () => {
    const page = (await (await fetch(`${amb.adminUrl}/debug/ambassador`)).json()) as Described;
    return page.realms[0]?.shards[0]?.servers ?? [];
  };
  const clients = await Promise.all(Array.from({ length: 20 }, () => amb.client()));
  for (const client of clients) for (let i = 0; i < 5; i++) await client.ask('GET', 'k');
  for (const replica of (await servers()).filter(({ server }) => server !== primary.address)) {
    t.ok((replica.latencyMs ?? 0) > 0, `${replica.server} has been measured`);
    t.equal(replica.outstanding, 0, 'what was answered is not under way any more');
  }
  valve.shut('down');
  let answered = 0;
  const owedThere = async (): Promise<number> =>
    (await servers()).find(({ server }) => server === valve.address)?.outstanding ?? 0;
  const asked: Promise<unknown>[] = [];
  for (const client of clients) {
    client.send(command('GET', 'k'));
    asked.push(client.replies(1).then(() => answered++));
    await eventually('it is answered or waits', async () => answered + (await owedThere()) === asked.length);
  }
  t.ok((await owedThere()) > 0, 'some wait, and are counted where they do');
  valve.release('down');
  await eventually('all are answered', async () => (await owedThere()) === 0);
  await Promise.all(asked);
});
