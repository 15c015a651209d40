/** The ambassador's own listener with TLS and as a unix socket, and TLS to servers, through the whole daemon. */

import { readFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { test } from 'tap';
import { freePort, needs, startRedis, tempDir } from '../../../../test/harness/index.ts';
import { Client, command, config, startAmbassador } from '../session/setting.ts';

const redis = needs('redis-server', 'redis-cli');
const fixture = (name: string): string => join(import.meta.dirname, '../fixtures', name);
const pem = (name: string): Buffer => readFileSync(fixture(name));
const tls = { certFile: fixture('server.pem'), keyFile: fixture('server.key') };
const mutual = { ...tls, clientCaFile: fixture('ca.pem') };

async function ask(socket: Socket, ...words: string[]): Promise<string> {
  const client = new Client(socket);
  try {
    return await client.ask(...words);
  } finally {
    client.destroy();
  }
}

function secure(port: number, options: ConnectionOptions = {}): Socket {
  return connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: pem('ca.pem'), ...options });
}

test('clients with TLS; a reload asks them for certificates, and takes TLS away', redis, async (t) => {
  const server = await startRedis(t);
  const amb = await startAmbassador(t, { primary: server.address, tls });
  const kept = new Client(secure(amb.port));
  t.teardown(() => kept.destroy());
  t.equal(await kept.ask('SET', 'k', 'v'), '+OK\r\n');
  await t.rejects(ask(connectPlain(amb.port), 'GET', 'k'), /closed after 0/);

  await amb.daemon.reload(config({ primary: server.address, tls: mutual }));
  await t.rejects(ask(secure(amb.port), 'GET', 'k'), /closed after 0/);
  const shown = { cert: pem('server.pem'), key: pem('server.key') };
  t.equal(await ask(secure(amb.port, shown), 'GET', 'k'), '$1\r\nv\r\n');
  t.equal(await kept.ask('GET', 'k'), '$1\r\nv\r\n', 'who is in stays in');
  await t.rejects(amb.daemon.reload(config({ primary: server.address, tls: { ...tls, keyFile: fixture('other.key') } })), { code: 'AMBASSADOR_TLS_FILES' }); // prettier-ignore
  t.equal(
    await ask(secure(amb.port, shown), 'GET', 'k'),
    '$1\r\nv\r\n',
    'a reload that fails changes nothing',
  );

  await amb.daemon.reload(config({ primary: server.address }));
  t.equal(await ask(connectPlain(amb.port), 'GET', 'k'), '$1\r\nv\r\n');
  t.ok((await amb.metric('tls_handshake_failures_total', 'reason="certificate"')) >= 1);
});

test('drain lets a client with TLS have its answers', redis, async (t) => {
  const server = await startRedis(t);
  const amb = await startAmbassador(t, { primary: server.address, tls });
  const client = new Client(secure(amb.port));
  t.equal(await client.ask('PING'), '+PONG\r\n');
  client.send(command('BLPOP', 'l', '0'));
  client.send(command('GET', 'k'));
  await t.resolveMatch(server.cli('PING'), 'PONG');
  const drained = amb.daemon.drain();
  await server.cli('RPUSH', 'l', 'x');
  t.equal((await client.replies(1))[0], '*2\r\n$1\r\nl\r\n$1\r\nx\r\n');
  await client.closed();
  await drained;
});

test('unix sockets on both sides', redis, async (t) => {
  const server = await startRedis(t, { unix: true });
  const path = join(tempDir(t), 'a');
  const amb = await startAmbassador(t, { primary: `unix:${server.socketPath}`, listen: `unix:${path}` });
  t.equal(amb.daemon.addresses['redis'], `unix:${path}`);
  t.equal(await ask(connectPlain(path), 'SET', 'k', 'v'), '+OK\r\n');
  t.equal(await server.cli('GET', 'k'), 'v');
});

test(
  'servers that ask for a certificate are shown ours; the name is the configured one',
  redis,
  async (t) => {
    const port = await freePort();
    const server = await startRedis(t, {
      config: {
        'tls-port': String(port),
        'tls-cert-file': fixture('other.pem'),
        'tls-key-file': fixture('other.key'),
        'tls-ca-cert-file': fixture('other.pem'),
        'tls-auth-clients': 'yes',
      },
    });
    const serverTls = {
      caFile: fixture('other.pem'),
      certFile: fixture('other.pem'),
      keyFile: fixture('other.key'),
      serverName: 'redis.internal',
    };
    const amb = await startAmbassador(t, { primary: `127.0.0.1:${port}`, serverTls });
    t.equal(await (await amb.client()).ask('SET', 'k', 'v'), '+OK\r\n');
    t.equal(await server.cli('GET', 'k'), 'v');
    await server.process.stop('SIGKILL');
  },
);
