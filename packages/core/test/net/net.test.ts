import { systemNet } from '@outrigger/core/net';
import { MemoryNet } from '@outrigger/core/testing';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:net';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'tap';

for (const [name, make] of [
  ['system', systemNet],
  ['memory', () => new MemoryNet()],
] as const) {
  test(`${name}: listen, connect, exchange, half-close, close`, async (t) => {
    const net = make();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      let got = '';
      socket.on('data', (chunk) => (got += String(chunk)));
      socket.on('end', () => socket.end(`you said ${got.length} bytes`));
    });
    const listener = await net.listen(server, { kind: 'tcp', host: '127.0.0.1', port: 0 });
    t.teardown(() => listener.close());
    t.match(listener.name, /^127\.0\.0\.1:\d+$/);
    t.ok(listener.address.kind === 'tcp' && listener.address.port > 0);
    const client = net.connect(listener.address as { kind: 'tcp'; host: string; port: number }, {
      allowHalfOpen: true,
    });
    let answer = '';
    client.on('data', (chunk) => (answer += String(chunk)));
    client.end('x'.repeat(300_000));
    await once(client, 'end');
    t.equal(answer, 'you said 300000 bytes');
    client.destroy();
  });

  test(`${name}: an address taken is refused with a code, nobody there is ECONNREFUSED`, async (t) => {
    const net = make();
    const listener = await net.listen(createServer(), { kind: 'tcp', host: '127.0.0.1', port: 0 });
    await t.rejects(net.listen(createServer(), listener.address), {
      code: 'LISTEN_FAILED',
      target: listener.name,
    });
    listener.close();
    const [error] = (await once(net.connect(listener.address as never), 'error').catch((e: unknown) => [
      e,
    ])) as [Error];
    t.match(error, { code: 'ECONNREFUSED' });
  });

  test(`${name}: serves HTTP`, async (t) => {
    const net = make();
    const server = http.createServer((request, response) => response.end(`hello ${request.url}`));
    const listener = await net.listen(server, { kind: 'tcp', host: '127.0.0.1', port: 0 });
    t.teardown(() => listener.close());
    const request = http.get({
      path: '/a',
      createConnection: () => net.connect(listener.address as never),
    });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const chunks = await response.toArray();
    t.equal(Buffer.concat(chunks as Buffer[]).toString(), 'hello /a');
  });
}

test('a unix socket whose owner died is taken over', async (t) => {
  // A test directory's path may be longer than the 107 bytes a socket's may have.
  const folder = await mkdtemp(join(tmpdir(), 'outrigger-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 's.sock');
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script]);
  const net = systemNet();
  const listener = await net.listen(createServer(), { kind: 'unix', path });
  t.equal(listener.name, `unix:${path}`);
  await t.rejects(
    net.listen(createServer(), { kind: 'unix', path }),
    { code: 'LISTEN_FAILED' },
    'a living owner keeps it',
  );
  listener.close();
});

test('a listening socket handed over by a parent process is used as it is', async (t) => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { fd } = (holder as unknown as { _handle: { fd: number } })._handle;
  const script = `
    const { systemNet } = await import('@outrigger/core/net');
    const server = (await import('node:net')).createServer((socket) => { socket.end('from the child'); server.close(); });
    const listener = await systemNet().listen(server, { kind: 'fd', fd: 3 });
    console.log(listener.name);`;
  const args = ['--conditions=@outrigger/source', '--input-type=module', '-e', script];
  const child = spawn(process.execPath, args, {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit', fd],
  });
  const [name] = (await once(child.stdout!, 'data')) as [Buffer];
  const { port } = holder.address() as AddressInfo;
  t.equal(String(name).trim(), `127.0.0.1:${port}`);
  holder.close();
  const client = systemNet().connect({ kind: 'tcp', host: '127.0.0.1', port });
  t.equal(Buffer.concat((await client.toArray()) as Buffer[]).toString(), 'from the child');
});
