import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '@outrigger/core/errors';
import { encodeCommand } from '@outrigger/core/resp';
import { eventually, testDeps } from '@outrigger/core/testing';
import { test } from 'tap';
import { freePort, needs, startRedis, tempDir } from '../../../../test/harness/index.ts';
import type { Redis, Teardown } from '../../../../test/harness/index.ts';
import { dial, readyEvent } from '../../src/upstream/dial.ts';
import { ServerTlsFiles } from '../../src/upstream/server-tls.ts';
import type { DialTls } from '../../src/upstream/server-tls.ts';
import { parseServer } from '../../src/upstream/server.ts';
import type { ServerTls } from '../../src/daemon/config.ts';

const fixture = (name: string): string => join(import.meta.dirname, '../fixtures', name);
const servers = needs('redis-server', 'redis-cli');
const nothing: ServerTls = {
  caFile: undefined,
  certFile: undefined,
  keyFile: undefined,
  serverName: undefined,
};

/** What the server answers to one write, or the code of the error. */
async function ask(target: string, request: Buffer, tls?: DialTls): Promise<string> {
  const spec = parseServer(target);
  if (spec.kind !== 'server') throw new Error(`${target} is no server`);
  const socket = dial(spec.server, testDeps().net, tls);
  return new Promise((resolve) => {
    socket.once(readyEvent(spec.server), () => socket.write(request));
    socket.once('data', (chunk: Buffer) => {
      socket.destroy();
      resolve(String(chunk));
    });
    socket.once('error', (error) => resolve(errorCode(error)));
    socket.once('close', () => resolve('closed'));
  });
}

const ping = encodeCommand(['PING']);

async function secureRedis(
  t: Teardown,
  cert: string,
  clients: 'yes' | 'no',
): Promise<{ port: number; redis: Redis }> {
  const port = await freePort();
  const redis = await startRedis(t, {
    config: {
      'tls-port': String(port),
      'tls-cert-file': fixture(`${cert}.pem`),
      'tls-key-file': fixture(`${cert}.key`),
      'tls-ca-cert-file': fixture('ca.pem'),
      'tls-auth-clients': clients,
    },
  });
  return { port, redis };
}

async function open(t: Teardown, tls: Partial<ServerTls>): Promise<ServerTlsFiles> {
  const { clock, log } = testDeps();
  const files = await ServerTlsFiles.open({ ...nothing, ...tls }, { clock, log, fileCheckIntervalMs: 10 });
  t.teardown(() => files.close());
  return files;
}

test(
  'a server is trusted by the configured authority alone, for the name it was reached by',
  servers,
  async (t) => {
    const { port, redis } = await secureRedis(t, 'server', 'no');
    const trusting = await open(t, { caFile: fixture('ca.pem') });
    for (const host of ['localhost', '127.0.0.1']) {
      t.equal(await ask(`rediss://${host}:${port}`, ping, trusting.current), '+PONG\r\n', host);
    }
    t.match(await ask(`rediss://localhost:${port}`, ping), /SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_/);
    const strange = await open(t, { caFile: fixture('other.pem') });
    t.match(
      await ask(`rediss://localhost:${port}`, ping, strange.current),
      /SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_/,
    );
    await redis.process.stop('SIGKILL');
  },
);

test('a server found by address is known by the name that was configured', servers, async (t) => {
  const { port, redis } = await secureRedis(t, 'other', 'no');
  const unnamed = await open(t, { caFile: fixture('other.pem') });
  t.equal(await ask(`rediss://127.0.0.1:${port}`, ping, unnamed.current), 'ERR_TLS_CERT_ALTNAME_INVALID');
  const named = await open(t, { caFile: fixture('other.pem'), serverName: 'redis.internal' });
  t.equal(await ask(`rediss://127.0.0.1:${port}`, ping, named.current), '+PONG\r\n');
  await redis.process.stop('SIGKILL');
});

test(
  'a server that asks for a certificate is shown ours, and the new one once the files change',
  servers,
  async (t) => {
    const { port, redis } = await secureRedis(t, 'server', 'yes');
    const target = `rediss://localhost:${port}`;
    const without = await open(t, { caFile: fixture('ca.pem') });
    t.notMatch(await ask(target, ping, without.current), /PONG/);
    const folder = tempDir(t);
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    copyFileSync(fixture('other.pem'), certFile);
    copyFileSync(fixture('other.key'), keyFile);
    const shown = await open(t, { caFile: fixture('ca.pem'), certFile, keyFile });
    t.notMatch(await ask(target, ping, shown.current), /PONG/, 'of no authority it knows');
    copyFileSync(fixture('server.pem'), certFile);
    copyFileSync(fixture('server.key'), keyFile);
    await eventually(
      'the new certificate',
      async () => (await ask(target, ping, shown.current)) === '+PONG\r\n',
    );
    await redis.process.stop('SIGKILL');
  },
);

test('files of servers that cannot be used are told by name', async (t) => {
  const missing = join(tempDir(t), 'none.pem');
  await t.rejects(open(t, { caFile: missing }), { code: 'AMBASSADOR_TLS_FILES', target: missing, message: /^serverTls: / }); // prettier-ignore
});

test('a unix socket is dialled without TLS', servers, async (t) => {
  const redis = await startRedis(t, { unix: true });
  t.equal(await ask(`unix:${redis.socketPath}`, ping), '+PONG\r\n');
});

test('a login is that of the default user, or of a user by name', servers, async (t) => {
  const redis = await startRedis(t, { config: { user: 'app on >secret ~* +get +ping' } });
  await redis.cli('CONFIG', 'SET', 'requirepass', 'pä ss');
  const after = (...login: string[]): Buffer =>
    Buffer.concat([encodeCommand(['AUTH', ...login]), encodeCommand(['SET', 'k', 'v'])]);
  const answers = async (request: Buffer): Promise<string> => (await ask(redis.address, request)).split('\r\n')[0] ?? ''; // prettier-ignore
  t.equal(await answers(after('pä ss')), '+OK');
  t.equal(await answers(after('app', 'secret')), '+OK');
  t.match(await answers(after('app', 'pä ss')), /^-WRONGPASS/);
  t.match(await ask(redis.address, ping), /^-NOAUTH/);
});
