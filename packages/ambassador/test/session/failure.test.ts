import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { command, startAmbassador, startServers, synced } from './setting.ts';
import { Valve } from '../topology/valve.ts';

const redis = needs('redis-server', 'redis-cli');
/** The poller asks once, at the start: what passes a valve afterwards is the client's. */
const asksOnce = { limits: { pollIntervalMs: 3_600_000 } };
const patient = { maxLag: '4h' };
const replicaReads = 'class="read",route="replica"';

test('reads whose replica is killed are answered by the primary', redis, async (t) => {
  const { primary, replicas } = await startServers(t, 1);
  const [replica] = replicas as [(typeof replicas)[0]];
  const path = await Valve.open(t, replica?.port ?? 0);
  const amb = await startAmbassador(
    t,
    { primary: primary.address, replica: [path.address], ...patient },
    asksOnce,
  );
  await primary.cli('MSET', 'a', '1', 'b', '2', 'c', '3');
  await eventually('the replica has c', async () => (await replica?.cli('GET', 'c')) === '3');
  const client = await amb.client();
  await client.ask('GET', 'missing');
  path.shut('down');
  client.send(command('GET', 'a') + command('GET', 'b') + command('GET', 'c') + command('SET', 'd', '4'));
  await path.holds('down', 3 * 7);
  replica?.process.signal('SIGKILL');
  await replica?.process.exited;
  path.cut();
  t.strictSame(await client.replies(4), ['$1\r\n1\r\n', '$1\r\n2\r\n', '$1\r\n3\r\n', '+OK\r\n']);
  t.equal(await amb.metric('repeated_commands_total'), 3);
  t.equal(await client.ask('GET', 'd'), '$1\r\n4\r\n', 'and the session goes on');
});

test('reads answered before the replica was lost are not repeated', redis, async (t) => {
  const { primary, replicas } = await startServers(t, 1);
  const path = await Valve.open(t, replicas[0]?.port ?? 0);
  const amb = await startAmbassador(
    t,
    { primary: primary.address, replica: [path.address], ...patient },
    asksOnce,
  );
  await primary.cli('MSET', 'a', '1', 'b', '2', 'c', '3');
  await eventually('the replica has c', async () => (await replicas[0]?.cli('GET', 'c')) === '3');
  const client = await amb.client();
  await client.ask('GET', 'missing');
  path.shut('down');
  client.send(command('GET', 'a') + command('GET', 'b') + command('GET', 'c'));
  await path.holds('down', 3 * 7);
  path.allowDown(7);
  t.strictSame(await client.replies(3), ['$1\r\n1\r\n', '$1\r\n2\r\n', '$1\r\n3\r\n']);
  t.equal(await amb.metric('repeated_commands_total'), 2);
});

test('half an answer is never made whole with another server’s', redis, async (t) => {
  const { primary, replicas } = await startServers(t, 1);
  const path = await Valve.open(t, replicas[0]?.port ?? 0);
  const amb = await startAmbassador(
    t,
    { primary: primary.address, replica: [path.address], ...patient },
    asksOnce,
  );
  await primary.cli('SET', 'k', 'a value of some length');
  await eventually('the replica has k', async () => (await replicas[0]?.cli('STRLEN', 'k')) === '22');
  const client = await amb.client();
  await client.ask('GET', 'missing');
  path.shut('down');
  client.send(command('GET', 'k'));
  await path.holds('down', 10);
  path.allowDown(10);
  await client.closed();
  t.ok('$-1\r\n$22\r\na valu'.startsWith(client.bytes), 'at most that half, and a closed connection');
});

test('a write without an answer is reported, never repeated', redis, async (t) => {
  const { primary } = await startServers(t, 0);
  const path = await Valve.open(t, primary.port);
  const amb = await startAmbassador(t, { primary: path.address });
  const client = await amb.client();
  t.equal(await client.ask('INCR', 'n'), ':1\r\n');
  path.shut('down');
  client.send(command('INCR', 'n') + command('GET', 'n'));
  await path.holds('down', 8);
  // What is held may be what the poller was told: the write must have been executed too.
  await eventually('it is executed', async () => (await primary.cli('GET', 'n')) === '2');
  path.cut();
  path.release('down');
  const [write, read] = await client.replies(2);
  t.match(write, /^-OUTRIGGER write outcome unknown: 127\.0\.0\.1:\d+ was lost before it answered \(.*\); the command may or may not have been executed\r\n$/); // prettier-ignore
  // The poller's connection was cut as well: nobody may elect another primary, so nothing is waited for.
  t.match(read, /^(?:\$1\r\n2\r\n|-OUTRIGGER no primary: )/);
  t.equal(await primary.cli('GET', 'n'), '2', 'executed once');
  await eventually(
    'the connection is as good as before',
    async () => (await client.ask('GET', 'n')) === '$1\r\n2\r\n',
  );
});

test(
  'a primary that cannot be reached is named, with the reason; replicas still answer',
  redis,
  async (t) => {
    const { primary, replicas } = await startServers(t, 1);
    const amb = await startAmbassador(t, { primary: primary.address, replica: [replicas[0]?.address] });
    await primary.process.stop('SIGKILL');
    const client = await amb.client();
    client.send(command('SET', 'k', 'v') + command('SET', 'k', 'w') + command('GET', 'k') + command('PING'));
    const replies = await client.replies(4);
    const down = new RegExp(
      `^-OUTRIGGER no primary: ${primary.address}: ECONNREFUSED; the command was not sent\\r\\n$`,
    );
    t.match(replies[0], down);
    t.match(replies[1], down);
    t.equal(replies[2], '$-1\r\n');
    t.equal(replies[3], '+PONG\r\n');
    client.send(command('SET', 'k', 'x'.repeat(300_000)) + command('GET', 'k'));
    const [large, read] = await client.replies(2);
    t.match(large, down, 'a write too large to hold gets its one error when it has been swallowed');
    t.equal(read, '$-1\r\n');
    client.send(command('SELECT', '1'));
    t.match((await client.replies(1))[0], down);
    t.equal(await client.ask('GET', 'k'), '$-1\r\n', 'still in its database');
    t.equal(await amb.metric('server_up', `server="${primary.address}",role="primary"`), 0);
  },
);

test('a primary that has too many clients has not executed anything', redis, async (t) => {
  const { primary } = await startServers(t, 0);
  const amb = await startAmbassador(t, { primary: primary.address });
  const kept = await amb.client();
  t.equal(await kept.ask('SET', 'k', 'v'), '+OK\r\n');
  // The poller, the shared connection, and the one that asks.
  await primary.cli('CONFIG', 'SET', 'maxclients', '2');
  const late = await amb.client();
  t.equal(await late.ask('GET', 'k'), '$1\r\nv\r\n', 'what is shared has room for everybody');
  t.match(
    await late.ask('SELECT', '1'),
    /unreachable: ERR max number of clients reached; the command was not sent/,
  );
  t.equal(await kept.ask('GET', 'k'), '$1\r\nv\r\n');
});

test('a primary lost in the middle of a large write', redis, async (t) => {
  const { primary } = await startServers(t, 0);
  const path = await Valve.open(t, primary.port);
  const amb = await startAmbassador(t, { primary: path.address });
  const client = await amb.client();
  await client.ask('SET', 'k', 'old');
  const large = command('SET', 'k', 'x'.repeat(400_000));
  client.send(large.slice(0, 200_000));
  await eventually('it is being passed on', async () => (await amb.metric('pinned_sessions', 'reason="large"')) === 1); // prettier-ignore
  path.cut();
  await eventually('the loss is known', async () => (await amb.metric('upstream_errors_total', 'phase="open"')) > 0); // prettier-ignore
  client.send(large.slice(200_000) + command('GET', 'k'));
  const [write, read] = await client.replies(2);
  t.match(write, /^-OUTRIGGER write outcome unknown: .* was lost before it answered/);
  t.match(read, /^(?:\$3\r\nold\r\n|-OUTRIGGER no primary: )/);
  t.equal(await primary.cli('GET', 'k'), 'old');
});

for (const [mute, unmute] of [
  [command('CLIENT', 'REPLY', 'OFF'), command('CLIENT', 'REPLY', 'ON')],
  [command('CLIENT', 'REPLY', 'SKIP'), ''],
] as const) {
  test(
    `a large write whose answer nobody wants, lost: ${unmute === '' ? 'SKIP' : 'OFF'}`,
    redis,
    async (t) => {
      const { primary } = await startServers(t, 0);
      const path = await Valve.open(t, primary.port);
      const amb = await startAmbassador(t, { primary: path.address });
      const client = await amb.client();
      const large = command('SET', 'k', 'x'.repeat(400_000));
      client.send(mute + large.slice(0, 200_000));
      await eventually('it is passed on', async () => (await amb.metric('pinned_sessions', 'reason="large"')) === 1); // prettier-ignore
      path.cut();
      await eventually('the loss is known', async () => (await amb.metric('upstream_errors_total', 'phase="open"')) > 0); // prettier-ignore
      client.send(large.slice(200_000) + unmute + command('ECHO', 'heard'));
      const answers = await client.replies(unmute === '' ? 1 : 2);
      if (unmute !== '') t.equal(answers.shift(), '+OK\r\n');
      t.match(
        answers[0],
        /^(?:\$5\r\nheard\r\n|-OUTRIGGER no primary: )/,
        'the next answer is to what was asked next',
      );
      t.equal(await amb.metric('unknown_outcomes_total'), 1, 'it is counted nevertheless');
    },
  );
}

test('a client that leaves in the middle of a large write leaves nothing behind', redis, async (t) => {
  const { primary } = await startServers(t, 0);
  const amb = await startAmbassador(t, { primary: primary.address });
  const client = await amb.client();
  await client.ask('SET', 'k', 'old');
  client.send(command('SET', 'k', 'x'.repeat(400_000)).slice(0, 200_000));
  client.socket.end();
  await client.closed();
  await eventually('its session is gone', async () => (await amb.metric('sessions')) === 0);
  t.equal(await primary.cli('GET', 'k'), 'old');
});

test('a replica that turns reads away is never seen by the client', redis, async (t) => {
  const primary = await startRedis(t);
  const stream = await Valve.open(t, primary.port);
  const replica = await startRedis(t, {
    replicaOf: { ...primary, port: stream.port },
    config: { 'replica-serve-stale-data': 'no' },
  });
  await synced(replica);
  const amb = await startAmbassador(
    t,
    { primary: primary.address, replica: [replica.address], ...patient },
    // The poller is not to find out first.
    asksOnce,
  );
  await primary.cli('SET', 'k', 'v');
  const client = await amb.client();
  await client.ask('GET', 'missing');
  t.equal(await amb.metric('commands_total', replicaReads), 1);
  await replica.cli('REPLICAOF', '127.0.0.1', '1');
  await eventually('the replica has lost its primary', async () => (await replica.cli('GET', 'k')).startsWith('MASTERDOWN')); // prettier-ignore
  client.send(command('GET', 'k') + command('GET', 'k'));
  t.strictSame(await client.replies(2), ['$1\r\nv\r\n', '$1\r\nv\r\n']);
  t.ok((await amb.metric('repeated_commands_total')) >= 1);
});

test('a replica that falls silent loses its reads to the primary', redis, async (t) => {
  const { primary, replicas } = await startServers(t, 1);
  const amb = await startAmbassador(
    t,
    { primary: primary.address, replica: [replicas[0]?.address] },
    { limits: { pollIntervalMs: 50, pollTimeoutMs: 100 } },
  );
  await primary.cli('SET', 'k', 'v');
  const client = await amb.client();
  await client.ask('GET', 'missing');
  replicas[0]?.process.signal('SIGSTOP');
  t.teardown(() => replicas[0]?.process.signal('SIGCONT'));
  t.equal(await client.ask('GET', 'k'), '$1\r\nv\r\n');
  t.equal(await client.ask('GET', 'k'), '$1\r\nv\r\n');
  replicas[0]?.process.signal('SIGCONT');
  const before = await amb.metric('commands_total', replicaReads);
  await eventually('it takes reads again', async () => {
    await client.ask('GET', 'k');
    return (await amb.metric('commands_total', replicaReads)) > before;
  });
});

test('only replicas may answer: reads wait, then say why there is none', redis, async (t) => {
  const { primary, replicas } = await startServers(t, 2);
  const [first, second] = replicas.map((replica) => replica.address);
  const amb = await startAmbassador(
    t,
    { primary: primary.address, replica: [first, second], readPolicy: 'replica' },
    // A replica that has just been filled gets its first write only with its next sign of life, up to a second later.
    { limits: { replicaWaitMs: 2_000 } },
  );
  const client = await amb.client();
  t.equal(await client.ask('SET', 'k', 'v'), '+OK\r\n');
  t.equal(await client.ask('GET', 'k'), '$1\r\nv\r\n', 'it waits for a replica to have the write');
  t.equal(await amb.metric('commands_total', 'class="read",route="primary"'), 0);
  for (const replica of replicas) await replica.process.stop('SIGKILL');
  const answer = await client.ask('GET', 'k');
  t.match(answer, new RegExp(`^-OUTRIGGER no replica may take this read \\(.*${first}: .*\\)`));
  t.match(answer, /with readPolicy preferReplica the primary would/);
  t.equal(await client.ask('SET', 'k', 'w'), '+OK\r\n', 'writes go on');
});

test('reads lost with their replica, while the primary is down: one error each', redis, async (t) => {
  const { primary, replicas } = await startServers(t, 1);
  const path = await Valve.open(t, replicas[0]?.port ?? 0);
  const amb = await startAmbassador(
    t,
    { primary: primary.address, replica: [path.address], ...patient },
    asksOnce,
  );
  const client = await amb.client();
  await client.ask('GET', 'missing');
  await primary.process.stop('SIGKILL');
  path.shut('down');
  client.send(command('GET', 'a') + command('GET', 'b'));
  await path.holds('down', 10);
  path.cut();
  for (const answer of await client.replies(2)) t.match(answer, /^-OUTRIGGER no primary: /);
});
