import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { needs, startRedis, tempDir } from '../../../../test/harness/index.ts';
import { parseServer } from '../../src/index.ts';
import type { Server, WatchService } from '../../src/index.ts';
import { Client, command, config, startAmbassador, startServers } from '../session/setting.ts';
import { Valve } from '../topology/valve.ts';

const redis = needs('redis-server', 'redis-cli');

test('drain: what was asked is answered, new clients are refused, then it is over', redis, async (t) => {
  const { primary, replicas } = await startServers(t, 1);
  const slow = await Valve.open(t, replicas[0]?.port ?? 0);
  const amb = await startAmbassador(t, { primary: primary.address, replica: [slow.address] });
  const busy = await amb.client();
  const idle = await amb.client();
  const pinned = await amb.client();
  await idle.ask('GET', 'k');
  await pinned.ask('MULTI');
  t.equal(await amb.metric('upstream_connections', `server="${primary.address}",kind="lease"`), 1);
  t.equal(await amb.metric('upstream_connections', `server="${slow.address}",kind="line"`), 1);
  await busy.ask('GET', 'k');
  slow.shut('down');
  busy.send(command('GET', 'k') + command('SET', 'k', 'v') + command('GET', 'k') + command('SET', 'k', 'w').slice(0, 20)); // prettier-ignore
  await slow.holds('down', 5);
  let drained = false;
  const drain = amb.daemon.drain().then(() => (drained = true));
  await idle.closed();
  await t.rejects(Client.connect(amb.port), { code: 'ECONNREFUSED' });
  t.equal((await fetch(`${amb.adminUrl}/readyz`)).status, 503);
  await pinned.closed();
  t.notOk(drained, 'one session is still owed an answer');
  slow.release('down');
  t.strictSame(await busy.replies(3), ['$-1\r\n', '+OK\r\n', '$1\r\nv\r\n']);
  await busy.closed();
  await drain;
  t.equal(await primary.cli('GET', 'k'), 'v', 'the half request was not executed');
});

test('drain: a session that waits for another connection to open ends too', redis, async (t) => {
  const { primary } = await startServers(t, 0);
  const slow = await Valve.open(t, primary.port);
  const amb = await startAmbassador(t, { primary: slow.address });
  slow.shut('down');
  const client = await amb.client();
  client.send(command('SELECT', '1'));
  await eventually('it is being connected', async () => (await amb.metric('held_sessions', 'reason="connect"')) === 1); // prettier-ignore
  const drain = amb.daemon.drain();
  slow.release('down');
  t.strictSame(await client.replies(1), ['+OK\r\n']);
  await client.closed();
  await drain;
});

test('close ends everything, and twice is harmless', redis, async (t) => {
  const { primary, replicas } = await startServers(t, 1);
  const amb = await startAmbassador(t, { primary: primary.address, replica: [replicas[0]?.address] });
  const client = await amb.client();
  await client.ask('GET', 'k');
  await amb.daemon.close();
  await amb.daemon.close();
  await client.closed();
  await eventually('the servers have lost us', async () => {
    const clients = await Promise.all([primary, ...replicas].map((server) => server.cli('CLIENT', 'LIST', 'TYPE', 'normal'))); // prettier-ignore
    // The one that asks is itself a client.
    return clients.every((list) => list.split('\n').length === 1);
  });
});

test('reload: servers and policy change under a live connection, which loses nothing', redis, async (t) => {
  const { primary, replicas } = await startServers(t, 2);
  const [first = '', second = ''] = replicas.map((replica) => replica.address);
  const values = { primary: primary.address, consistency: 'eventual' };
  const amb = await startAmbassador(t, { ...values, replica: [first] });
  await primary.cli('SET', 'k', 'v');
  for (const replica of replicas) {
    await eventually('each replica has k', async () => (await replica.cli('EXISTS', 'k')) === '1');
  }
  const reload = (next: Record<string, unknown>): Promise<void> =>
    amb.daemon.reload(config({ ...values, ...next }));
  const client = await amb.client();
  const calls = async (server: number): Promise<number> =>
    Number(
      /cmdstat_get:calls=(\d+)/.exec((await replicas[server]?.cli('INFO', 'commandstats')) ?? '')?.[1] ?? 0,
    );
  await client.ask('GET', 'k');
  t.strictSame([await calls(0), await calls(1)], [1, 0]);
  await reload({ replica: [second] });
  await eventually('the new replica is read', async () => {
    t.equal(await client.ask('GET', 'k'), '$1\r\nv\r\n');
    return (await calls(1)) > 0;
  });
  await reload({ replica: [second], readPolicy: 'primary' });
  const before = await calls(1);
  await client.ask('GET', 'k');
  t.equal(await calls(1), before, 'the policy holds from the next command on');
  await t.rejects(reload({ replica: [second], listen: '127.0.0.1:1' }), {
    code: 'CONFIG_INVALID',
    target: 'listen',
  });
  await t.rejects(reload({ passwordFrom: { file: '/no/such/file' } }), { code: 'AMBASSADOR_NO_PASSWORD' });
  t.equal(await client.ask('GET', 'k'), '$1\r\nv\r\n', 'a refused configuration changes nothing');
  t.notOk(client.ended);
});

test('reload: a new primary takes over once the old one owes nothing', redis, async (t) => {
  const { primary: old, replicas } = await startServers(t, 1);
  const fresh = await startRedis(t);
  const slow = await Valve.open(t, old.port);
  const amb = await startAmbassador(t, { primary: slow.address, replica: [replicas[0]?.address] });
  const client = await amb.client();
  t.equal(await client.ask('GET', 'k'), '$-1\r\n');
  t.equal(await client.ask('INCR', 'n'), ':1\r\n');
  slow.shut('down');
  client.send(command('INCR', 'n'));
  await slow.holds('down', 4);
  await amb.daemon.reload(config({ primary: fresh.address }));
  client.send(command('INCR', 'n') + command('MULTI') + command('INCR', 'n') + command('EXEC'));
  slow.release('down');
  t.strictSame(await client.replies(5), [':2\r\n', ':1\r\n', '+OK\r\n', '+QUEUED\r\n', '*1\r\n:2\r\n']);
  t.strictSame([await old.cli('GET', 'n'), await fresh.cli('GET', 'n')], ['2', '2']);
  await eventually('the replica that is no longer named is left', async () => {
    const clients = await replicas[0]?.cli('CLIENT', 'LIST', 'TYPE', 'normal');
    return clients?.split('\n').length === 1;
  });
});

test('a client too many is told so', redis, async (t) => {
  const { primary } = await startServers(t, 0);
  const amb = await startAmbassador(t, { primary: primary.address }, { limits: { maxClients: 2 } });
  const kept = [await amb.client(), await amb.client()];
  for (const client of kept) await client.ask('PING');
  const refused = await amb.client();
  await refused.closed();
  t.equal(refused.bytes, '-ERR max number of clients reached (maxClients 2)\r\n');
  t.equal(await amb.metric('sessions_rejected_total'), 1);
  t.equal(await amb.metric('limit', 'name="maxClients"'), 2);
  kept[0]?.destroy();
  await eventually('a place is free', async () => (await amb.metric('sessions')) === 1);
  t.equal(await (await amb.client()).ask('PING'), '+PONG\r\n');
});

test('servers behind a password and an ACL user, over TCP and a unix socket', redis, async (t) => {
  const acl = { user: 'app on >secret ~* &* +@all' };
  const primary = await startRedis(t, { unix: true, config: { requirepass: 'other', ...acl } });
  const file = join(tempDir(t), 'password');
  writeFileSync(file, 'secret\n');
  const values = { primary: `unix:${primary.socketPath}`, username: 'app' };
  const amb = await startAmbassador(t, { ...values, passwordFrom: { file } });
  const client = await amb.client();
  t.equal(await client.ask('SET', 'k', 'v'), '+OK\r\n');
  t.match(await client.ask('ACL', 'WHOAMI'), /app/);
  const wrong = await startAmbassador(
    t,
    { ...values, passwordFrom: { env: 'REDIS_PASSWORD' } },
    { environment: { REDIS_PASSWORD: 'hunter2' } },
  );
  const answer = await (await wrong.client()).ask('SET', 'k', 'v');
  t.match(answer, /^-OUTRIGGER no primary: unix:.*WRONGPASS/);
  const debug = await (await fetch(`${wrong.adminUrl}/debug/ambassador`)).text();
  for (const text of [answer, debug, wrong.deps.lines.join(''), await wrong.deps.metrics.page()]) {
    t.notMatch(text, /hunter2/);
  }
  t.match(debug, /WRONGPASS/, 'the operator sees why');
});

test('a server that wants a password nobody gave us asks its clients for it', redis, async (t) => {
  const primary = await startRedis(t, { config: { requirepass: 'secret' } });
  const amb = await startAmbassador(t, { primary: primary.address });
  const client = await amb.client();
  t.equal(await client.ask('GET', 'k'), '-NOAUTH Authentication required.\r\n');
  t.equal(await client.ask('AUTH', 'secret'), '+OK\r\n');
  t.equal(await client.ask('GET', 'k'), '$-1\r\n');
});

test('the admin server explains a command and shows the servers', redis, async (t) => {
  const { primary, replicas } = await startServers(t, 1);
  const amb = await startAmbassador(t, { primary: primary.address, replica: [replicas[0]?.address] });
  const get = async (path: string): Promise<unknown> => (await fetch(`${amb.adminUrl}${path}`)).json();
  t.match(await get('/debug/why?command=GETEX%20k'), { command: 'GETEX', route: 'write' });
  t.match(await get('/debug/ambassador'), {
    consistency: 'session',
    sessions: 0,
    realms: [
      {
        shards: [
          {
            primary: primary.address,
            why: '',
            servers: [
              { server: primary.address, takes: 'writes' },
              { server: replicas[0]?.address, takes: 'reads', why: '' },
            ],
          },
        ],
      },
    ],
  });
  t.equal((await fetch(`${amb.adminUrl}/readyz`)).status, 200);
  const page = await (await fetch(`${amb.adminUrl}/metrics`)).text();
  t.match(page, /outrigger_ambassador_server_up\{server="127\.0\.0\.1:\d+",role="replica"\} 1/);
});

test('a primary that is not there yet keeps nobody from starting', redis, async (t) => {
  const reserved = await startRedis(t);
  await reserved.process.stop('SIGKILL');
  const amb = await startAmbassador(t, { primary: reserved.address });
  const client = await amb.client();
  t.match(await client.ask('SET', 'k', 'v'), /^-OUTRIGGER no primary: .*ECONNREFUSED/);
  await startRedis(t, { port: reserved.port });
  await eventually(
    'it is used once it is there',
    async () => (await client.ask('SET', 'k', 'v')) === '+OK\r\n',
  );
});

test('a primary whose file of secrets cannot be read keeps the ambassador from starting', async (t) => {
  await t.rejects(startAmbassador(t, { primary: '127.0.0.1:1', passwordFrom: { file: '/no/such/file' } }), {
    code: 'AMBASSADOR_NO_PASSWORD',
  });
});

test('a Service’s endpoints are followed as they change', redis, async (t) => {
  const { primary, replicas } = await startServers(t, 2);
  const at = (address: string): Server => (parseServer(address) as { server: Server }).server;
  let changed = (): void => {};
  const services: Record<string, string[]> = { main: [primary.address], all: [] };
  const watchService: WatchService = ({ name }, onChange) => {
    changed = onChange;
    return Promise.resolve({
      get servers() {
        return (services[name] ?? []).map(at);
      },
      problem: 'it has no ready endpoint',
      close: () => {},
    });
  };
  // The control service itself is never reached: the watch is ours.
  const control = ['http://127.0.0.1:1'];
  const amb = await startAmbassador(
    t,
    { primary: 'svc:default/main', replica: ['svc:default/all'], consistency: 'eventual', control },
    { watchService },
  );
  const client = await amb.client();
  t.equal(await client.ask('SET', 'k', 'v'), '+OK\r\n');
  services['all'] = [primary.address, ...replicas.map((replica) => replica.address)];
  changed();
  await eventually('both replicas take reads', async () => {
    const { realms } = (await (await fetch(`${amb.adminUrl}/debug/ambassador`)).json()) as {
      realms: { shards: { servers: { takes: string }[] }[] }[];
    };
    const servers = realms[0]?.shards[0]?.servers ?? [];
    return servers.filter(({ takes }) => takes === 'reads').length === 2;
  });
  await client.ask('GET', 'k');
  t.equal(await amb.metric('commands_total', 'class="read",route="replica"'), 1);
  for (const [endpoints, why] of [
    [[], /it has no ready endpoint/],
    [[primary.address, ...replicas.map((replica) => replica.address)], /its Service has 3 ready endpoints/],
  ] as const) {
    services['main'] = [...endpoints];
    changed();
    const other = await amb.client();
    t.match(await other.ask('SET', 'k', 'w'), why);
    t.match(await client.ask('SET', 'k', 'w'), why, 'nobody writes where the primary is not certain');
  }
});
