/** The harness itself: programs are found or explained, processes are waited for and never outlive their test. */

import { connect, createServer } from 'node:net';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@outrigger/core/testing';
import { test } from 'tap';
import { freePort, needs, startProcess, startRedis, tempDir, tool } from './index.ts';
import type { RunningProcess } from './index.ts';

test('every tool is found with a version, or says what to install', (t) => {
  for (const name of [
    'redis-server',
    'nft',
    'haproxy',
    'kubectl-1.32',
    'kubectl-1.36',
    'etcd-3.5',
    'redis-8',
    'valkey-8',
    'valkey-9',
  ] as const) {
    const found = tool(name);
    if (found.missing === undefined) t.match(found.version, /\d+\.\d+/, `${name} ${found.version}`);
    else t.match(found.missing, /apt-get install|npm test/, name);
  }
  t.end();
});

test('kubectl comes in the version asked for', needs('kubectl-1.32', 'kubectl-1.36'), (t) => {
  const versions = (['kubectl-1.32', 'kubectl-1.36'] as const).map(
    (name) => tool(name) as { version: string },
  );
  t.match(versions[0]?.version, 'v1.32.');
  t.match(versions[1]?.version, 'v1.36.');
  t.end();
});

test('other servers than the installed Redis run beside it', needs('redis-8', 'valkey-9'), async (t) => {
  const redis = await startRedis(t, { program: 'redis-8' });
  t.match(await redis.cli('INFO', 'server'), /^redis_version:8\./m);
  const valkey = await startRedis(t, { program: 'valkey-9' });
  t.match(await valkey.cli('INFO', 'server'), /^valkey_version:9\./m);
});

test('a process is ready when its line appears, and ends with the test, its children too', async (t) => {
  const teardowns: (() => unknown)[] = [];
  const scope = { teardown: (run: () => unknown) => void teardowns.push(run) };
  const running = await startProcess(scope, 'sh', ['-c', 'sleep 1000 & echo child $!; echo ready; wait'], {
    ready: /^ready$/m,
  });
  const child = Number(/child (\d+)/.exec(running.stdout)?.[1]);
  t.ok(isRunning(running.pid));
  t.ok(isRunning(child));
  for (const run of teardowns) await run();
  t.notOk(isRunning(running.pid));
  await eventually('the grandchild is gone', () => !isRunning(child));
});

test('a process that ends before it is ready is told with what it wrote', async (t) => {
  await t.rejects(
    startProcess(t, 'sh', ['-c', 'echo cannot bind >&2; exit 3'], { ready: /never/ }),
    /ended before output matching .*"code":3[\s\S]*cannot bind/,
  );
  await t.rejects(startProcess(t, 'sleep', ['100'], { ready: /never/, readyTimeoutMs: 20 }), /within 20 ms/);
});

test('a process is ready when it listens', async (t) => {
  const port = await freePort();
  const script = `require('net').createServer((s) => s.end('hello')).listen(${port}, '127.0.0.1')`;
  await startProcess(t, process.execPath, ['-e', script], { ready: { port } });
  t.equal(await read(port), 'hello');
});

test('a killed test takes its processes along', async (t) => {
  const file = join(tempDir(t), 'pid');
  const harness = new URL('process.ts', import.meta.url).href;
  const script = `
    import { writeFileSync } from 'node:fs';
    import { startProcess } from ${JSON.stringify(harness)};
    const running = await startProcess({ teardown() {} }, 'sleep', ['1000']);
    writeFileSync(${JSON.stringify(file)}, String(running.pid));
    setInterval(() => {}, 1000);`;
  const parent: RunningProcess = await startProcess(t, process.execPath, [
    '--input-type=module',
    '-e',
    script,
  ]);
  const pid = Number(
    await eventually('the process id', () => existsSync(file) && readFileSync(file, 'utf8')),
  );
  t.ok(isRunning(pid));
  parent.signal('SIGKILL');
  await eventually('the process is gone', () => !isRunning(pid));
});

test('a temporary folder goes with its test', async (t) => {
  let path = '';
  await t.test('inside', (inner) => {
    path = tempDir(inner);
    writeFileSync(join(path, 'file'), 'x');
    inner.end();
  });
  t.notOk(existsSync(path));
});

test('a free port can be bound', async (t) => {
  const port = await freePort();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  t.ok(port < 30_000, 'outside the range of outgoing connections');
});

test(
  'redis: a primary and its replica, over tcp and a unix socket',
  needs('redis-server', 'redis-cli'),
  async (t) => {
    const primary = await startRedis(t, { unix: true });
    const replica = await startRedis(t, { replicaOf: primary });
    await primary.cli('SET', 'greeting', 'hello');
    await eventually(
      'the replica has the key',
      async () => (await replica.cli('GET', 'greeting')) === 'hello',
    );
    t.ok(primary.socketPath !== undefined && existsSync(primary.socketPath));
    t.match(await replica.cli('INFO', 'replication'), 'role:slave');
  },
);

function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

function read(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    connect(port, '127.0.0.1')
      .on('data', (chunk) => (text += String(chunk)))
      .on('end', () => resolve(text))
      .on('error', reject);
  });
}
