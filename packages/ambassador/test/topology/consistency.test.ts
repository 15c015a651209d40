import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import type { Redis, Teardown } from '../../../../test/harness/index.ts';
import { command, startAmbassador, synced } from '../session/setting.ts';
import type { Client, Running } from '../session/setting.ts';
import type { ServerPicture, ShardPicture } from '../../src/topology/describe.ts';
import { Valve } from './valve.ts';

const redis = needs('redis-server', 'redis-cli');
const replicaReads = 'class="read",route="replica"';
const primaryReads = 'class="read",route="primary"';

interface Lagging {
  readonly primary: Redis;
  readonly replica: Redis;
  /** The replication stream runs through it. */
  readonly stream: Valve;
}

async function lagging(t: Teardown): Promise<Lagging> {
  const primary = await startRedis(t);
  const stream = await Valve.open(t, primary.port);
  const replica = await startRedis(t, { replicaOf: { ...primary, port: stream.port } });
  await synced(replica);
  return { primary, replica, stream };
}

async function replicated(replica: Redis, key: string, value: string): Promise<void> {
  await eventually(`the replica has ${key}`, async () => (await replica.cli('GET', key)) === value);
}

/** A server as /debug shows it. */
async function pictureOf(amb: Running, { address }: Redis): Promise<ServerPicture | undefined> {
  const page = (await (await fetch(`${amb.adminUrl}/debug/ambassador`)).json()) as {
    realms: { shards: ShardPicture[] }[];
  };
  return page.realms[0]?.shards[0]?.servers.find(({ server }) => server === address);
}

/** Reads until a replica has answered one; every answer on the way must be `want`. */
async function untilReplicaAnswers(amb: Running, client: Client, key: string, want: string): Promise<void> {
  const before = await amb.metric('commands_total', replicaReads);
  await eventually('a replica answers', async () => {
    const got = await client.ask('GET', key);
    if (got !== want) throw new Error(`read ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
    return (await amb.metric('commands_total', replicaReads)) > before;
  });
}

test(
  'session: a client reads its own writes while the replica lags, and returns to it afterwards',
  redis,
  async (t) => {
    const { primary, replica, stream } = await lagging(t);
    const amb = await startAmbassador(t, { primary: primary.address, replica: [replica.address] });
    const writer = await amb.client();
    const reader = await amb.client();
    await writer.ask('SET', 'k', 'old');
    await replicated(replica, 'k', 'old');
    t.equal(await reader.ask('GET', 'k'), '$3\r\nold\r\n');
    stream.shut('down');
    await writer.ask('SET', 'k', 'new');
    for (let i = 0; i < 30; i++)
      t.equal(await writer.ask('GET', 'k'), '$3\r\nnew\r\n', `read ${i} after the write`);
    writer.send(command('INCR', 'n') + command('GET', 'n') + command('INCR', 'n') + command('GET', 'n'));
    t.strictSame(await writer.replies(4), [':1\r\n', '$1\r\n1\r\n', ':2\r\n', '$1\r\n2\r\n']);
    t.equal(await replica.cli('GET', 'k'), 'old', 'the replica did lag all the time');
    t.equal(await reader.ask('GET', 'k'), '$3\r\nold\r\n', 'who has seen nothing newer may still read there');
    stream.release('down');
    await replicated(replica, 'k', 'new');
    await untilReplicaAnswers(amb, writer, 'k', '$3\r\nnew\r\n');
  },
);

test('session: what a client has seen at the primary it never unsees', redis, async (t) => {
  const { primary, replica, stream } = await lagging(t);
  const amb = await startAmbassador(t, { primary: primary.address, replica: [replica.address] });
  await primary.cli('SET', 'k', 'old');
  await replicated(replica, 'k', 'old');
  const client = await amb.client();
  await client.ask('SET', 'mine', '1');
  await replicated(replica, 'mine', '1');
  stream.shut('down');
  // Written by somebody else: only the reads themselves tell this session of it.
  await primary.cli('SET', 'k', 'new');
  let seenNew = false;
  for (let i = 0; i < 100; i++) {
    const got = await client.ask('GET', 'k');
    if (seenNew) t.equal(got, '$3\r\nnew\r\n', 'time does not run backwards');
    seenNew ||= got === '$3\r\nnew\r\n';
  }
  stream.release('down');
  await untilReplicaAnswers(amb, client, 'mine', '$1\r\n1\r\n');
});

test('session: a client moves between replicas only forward', redis, async (t) => {
  const { primary, replica: behind, stream } = await lagging(t);
  const ahead = await startRedis(t, { replicaOf: primary });
  await synced(ahead);
  const amb = await startAmbassador(t, {
    primary: primary.address,
    replica: [ahead.address, behind.address],
  });
  await primary.cli('SET', 'k', 'old');
  await replicated(behind, 'k', 'old');
  stream.shut('down');
  await primary.cli('SET', 'k', 'new');
  await replicated(ahead, 'k', 'new');
  let client = await amb.client();
  // Which replica a session begins with is chance.
  await eventually('a session reads at the replica that has it', async () => {
    client = await amb.client();
    return (await client.ask('GET', 'k')) === '$3\r\nnew\r\n';
  });
  ahead.process.signal('SIGKILL');
  await ahead.process.exited;
  for (let i = 0; i < 20; i++) t.equal(await client.ask('GET', 'k'), '$3\r\nnew\r\n');
  t.equal(await behind.cli('GET', 'k'), 'old', 'the other replica did lag');
  stream.release('down');
  await untilReplicaAnswers(amb, client, 'k', '$3\r\nnew\r\n');
});

test('eventual: a client may read behind its own write', redis, async (t) => {
  const { primary, replica, stream } = await lagging(t);
  const amb = await startAmbassador(t, {
    primary: primary.address,
    replica: [replica.address],
    consistency: 'eventual',
  });
  const client = await amb.client();
  await client.ask('SET', 'k', 'old');
  await replicated(replica, 'k', 'old');
  stream.shut('down');
  await client.ask('SET', 'k', 'new');
  t.equal(await client.ask('GET', 'k'), '$3\r\nold\r\n');
  t.equal(await amb.metric('commands_total', primaryReads), 0);
});

test('a replica that lags more than max-lag takes no reads until it has caught up', redis, async (t) => {
  const { primary, replica, stream } = await lagging(t);
  const amb = await startAmbassador(t, {
    primary: primary.address,
    replica: [replica.address],
    consistency: 'eventual',
    maxLag: '200ms',
  });
  const client = await amb.client();
  await client.ask('SET', 'k', 'old');
  await replicated(replica, 'k', 'old');
  stream.shut('down');
  await client.ask('SET', 'k', 'new');
  await eventually(
    'the read goes to the primary',
    async () => (await client.ask('GET', 'k')) === '$3\r\nnew\r\n',
  );
  const shown = await pictureOf(amb, replica);
  t.equal(shown?.takes, 'nothing');
  t.match(shown?.why, /^lag .*s is above max-lag 0.2s$/);
  stream.release('down');
  await untilReplicaAnswers(amb, client, 'k', '$3\r\nnew\r\n');
});

test('a replica that follows somebody else is not read', redis, async (t) => {
  const { primary, replica } = await lagging(t);
  const stranger = await startRedis(t);
  await stranger.cli('SET', 'k', 'foreign');
  const amb = await startAmbassador(t, {
    primary: primary.address,
    replica: [replica.address, stranger.address],
  });
  await primary.cli('SET', 'k', 'ours');
  await replicated(replica, 'k', 'ours');
  await replica.cli('REPLICAOF', '127.0.0.1', String(stranger.port));
  await replicated(replica, 'k', 'foreign');
  const client = await amb.client();
  await eventually(
    'the read goes to the primary',
    async () => (await client.ask('GET', 'k')) === '$4\r\nours\r\n',
  );
  t.match((await pictureOf(amb, replica))?.why, /another replication id/);
  t.match((await pictureOf(amb, stranger))?.why, /says it is a primary/);
});
