// The servers of the show, all on this machine and on free ports: a primary, two replicas, three Sentinels, and the
// ambassador in front of them. They end with the process that started them.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createClient } from 'redis';

export const master = 'shop';

const folder = mkdtempSync(join(tmpdir(), 'outrigger-failover-'));
const children = new Set();

// However this process ends, what it started ends with it.
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGALRM']) process.on(signal, () => process.exit(1));

/** Starts a program and waits for a line of its output. Nothing of the show goes on without it, until it is killed. */
async function start(command, args, ready) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  child.once('error', (error) => fail(`${command} cannot be started: ${error.message}`));
  child.once('exit', (code) => {
    if (children.delete(child)) fail(`${command} ${args[0]} ended with code ${code}`);
  });
  const lines = createInterface({ input: child.stdout });
  const line = await new Promise((resolve) => {
    lines.on('line', (text) => ready.test(text) && resolve(text));
  });
  const kill = () => {
    children.delete(child);
    child.kill('SIGKILL');
  };
  return { line, kill };
}

function fail(why) {
  console.error(why);
  process.exit(1);
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** `following`: the port of its primary; undefined for the primary itself. */
export async function startRedis(following) {
  const port = await freePort();
  const place = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--dbfilename', `${port}.rdb`];
  const follow = following === undefined ? [] : ['--replicaof', '127.0.0.1', `${following}`];
  // The first copy of the data begins at once instead of waiting five seconds for further replicas.
  const quick = ['--save', '', '--repl-diskless-sync-delay', '0'];
  const { kill } = await start(
    'redis-server',
    [...place, ...follow, ...quick],
    /Ready to accept connections/,
  );
  return { port, url: `redis://127.0.0.1:${port}`, kill };
}

export async function startSentinel(primary) {
  const port = await freePort();
  const file = join(folder, `sentinel-${port}.conf`);
  // A Sentinel keeps what it learns in its file.
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `sentinel monitor ${master} 127.0.0.1 ${primary} 2`,
    `sentinel down-after-milliseconds ${master} 1000`,
    `sentinel failover-timeout ${master} 10000`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  await start('redis-server', [file, '--sentinel'], /\+monitor master/);
  return { port, url: `redis://127.0.0.1:${port}` };
}

/** `command` runs outrigger, with its first arguments where it has some. */
export async function startAmbassador([command, ...args], sentinels) {
  const addresses = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',');
  const { line } = await start(
    command,
    [
      ...args,
      ...['ambassador', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--log-level', 'error'],
      ...['--sentinel', addresses, '--master', master],
    ],
    /"msg":"ready"/,
  );
  const { redis, admin } = JSON.parse(line).addresses;
  return { url: `redis://${redis}`, admin };
}

/** A connection for questions about the servers themselves. Sentinel closes it when it changes a server's role. */
async function asking({ url }) {
  const client = createClient({ url, RESP: 2 });
  client.on('error', () => {
    // It connects again by itself, and the question is asked again.
  });
  await client.connect();
  return {
    close: () => client.destroy(),
    ask: (...words) => client.sendCommand(words).catch(() => []),
  };
}

/** Resolves when every Sentinel knows the others and both replicas: before, an election could not succeed. */
export async function settled(sentinels) {
  for (const sentinel of sentinels) {
    const { ask, close } = await asking(sentinel);
    for (;;) {
      const answer = await ask('SENTINEL', 'MASTER', master);
      const fact = (name) => answer[answer.indexOf(name) + 1];
      if (fact('num-slaves') === '2' && fact('num-other-sentinels') === '2') break;
      await pause(100);
    }
    close();
  }
}

/** Resolves when a Sentinel names another primary than `before`. */
export async function elected(sentinels, before) {
  const all = await Promise.all(sentinels.map(asking));
  for (;;) {
    const named = await Promise.all(all.map(({ ask }) => ask('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master)));
    if (named.some(([, port]) => port !== undefined && Number(port) !== before.port)) break;
    await pause(5);
  }
  for (const { close } of all) close();
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
