/** Servers that come and go for weeks, as pods do: nothing is left of those that are gone. */

import { eventually } from '@outrigger/core/testing';
import { test } from 'tap';
import { needs } from '../../../../test/harness/index.ts';
import { parseServer } from '../../src/index.ts';
import type { Server, WatchService } from '../../src/index.ts';
import { command, startAmbassador, startServers } from '../session/setting.ts';
import { Valve } from './valve.ts';

const redis = needs('redis-server', 'redis-cli');

class Endpoints {
  servers: Server[] = [];
  readonly #changed = new Set<() => void>();

  set(...addresses: string[]): void {
    this.servers = addresses.map((address) => (parseServer(address) as { server: Server }).server);
    for (const changed of this.#changed) changed();
  }

  readonly watch: WatchService = (_target, onChange) => {
    const now = (): Server[] => this.servers;
    this.#changed.add(onChange);
    return Promise.resolve({
      get servers() {
        return now();
      },
      problem: '',
      close: () => {},
    });
  };
}

test('connections to servers that are gone close, and nobody speaks of them any more', redis, async (t) => {
  const { primary, replicas } = await startServers(t, 1);
  const [replica] = replicas;
  const endpoints = new Endpoints();
  const amb = await startAmbassador(
    t,
    {
      primary: primary.address,
      replica: ['svc:default/replicas'],
      control: ['http://127.0.0.1:1'],
      readPolicy: 'replica',
      consistency: 'eventual',
    },
    { watchService: endpoints.watch, limits: { forgetAfterMs: 0, largeReplyBytes: 1_000 } },
  );
  await primary.cli('SETRANGE', 'large', '100000', 'x');
  await eventually('the replica has it', async () => (await replica?.cli('EXISTS', 'large')) === '1');
  const page = (): Promise<string> => amb.deps.metrics.page();
  const pods: string[] = [];
  const small = await amb.client();
  for (let i = 0; i < 6; i++) {
    const pod = await Valve.open(t, replica?.port ?? 0);
    pods.push(pod.address);
    endpoints.set(pod.address);
    await eventually('the new pod takes reads', async () => (await small.ask('GET', 'k')) === '$-1\r\n');
    // Its answers are large, so it has a connection of its own, which is kept for the next like it.
    const large = await amb.client();
    for (let n = 0; n < 2; n++) t.ok((await large.ask('GET', 'large')).length > 100_000);
    large.destroy();
    t.equal(await small.ask('EVAL_RO', 'return 1', '0'), ':1\r\n');
    t.match(await page(), `server="${pod.address}"`);
  }
  const gone = pods.slice(0, -1);
  await eventually('those that are gone are off the page', async () => {
    const now = await page();
    return gone.every((pod) => !now.includes(pod));
  });
  const lines = (await replica?.cli('CLIENT', 'LIST', 'TYPE', 'normal'))?.split('\n') ?? [];
  const ours = lines.filter((line) => !line.includes('cmd=client|list'));
  t.ok(ours.length <= 4, `the poller's and the last pod's: ${ours.length}`);
  t.match(await page(), `server="${pods.at(-1)}"`);
  t.equal(await small.ask('GET', 'k'), '$-1\r\n');
});

test('without a client too: the connections of those that have left close', redis, async (t) => {
  const { primary, replicas } = await startServers(t, 1);
  const [replica] = replicas;
  const endpoints = new Endpoints();
  const values = {
    primary: primary.address,
    replica: ['svc:default/replicas'],
    control: ['http://127.0.0.1:1'],
    consistency: 'eventual',
  };
  endpoints.set(replica?.address ?? '');
  const amb = await startAmbassador(t, values, { watchService: endpoints.watch });
  const client = await amb.client();
  client.send(command('GET', 'k') + command('GET', 'k'));
  await client.replies(2);
  client.destroy();
  await eventually('nobody is left', async () => (await amb.metric('sessions')) === 0);
  t.equal(await amb.metric('upstream_connections', `server="${replica?.address}",kind="line"`), 1);
  const rounds = await amb.metric('rounds_total');
  await eventually('it has been quiet', async () => (await amb.metric('rounds_total')) > rounds + 1);
  endpoints.set();
  await eventually('it has lost us', async () => {
    const clients = await replica?.cli('CLIENT', 'LIST', 'TYPE', 'normal');
    return clients?.split('\n').length === 1;
  });
});
