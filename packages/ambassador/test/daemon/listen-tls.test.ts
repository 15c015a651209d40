import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { connect as connectPlain, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { parseAddress } from '@outrigger/core/net';
import { eventually, testDeps } from '@outrigger/core/testing';
import type { TestDeps } from '@outrigger/core/testing';
import { test } from 'tap';
import { tempDir } from '../../../../test/harness/index.ts';
import type { Teardown } from '../../../../test/harness/index.ts';
import { TlsFiles } from '../../src/access/tls-files.ts';
import type { TlsFilePaths } from '../../src/access/tls-files.ts';
import { handshakeFailures, Handshakes } from '../../src/daemon/listen-tls.ts';

const fixture = (name: string): string => join(import.meta.dirname, '../fixtures', name);
const pem = (name: string): Buffer => readFileSync(fixture(name));
const plainTls: TlsFilePaths = { certFile: fixture('server.pem'), keyFile: fixture('server.key') };

interface Running {
  readonly handshakes: Handshakes;
  readonly deps: TestDeps;
  readonly port: number;
  /** What clients said, once they are clients. */
  readonly heard: string[];
  /** Failed handshakes, by reason. */
  readonly failures: () => Promise<Record<string, number>>;
}

/** A listener with TLS whose clients are answered what they say. */
async function listen(
  t: Teardown,
  paths: TlsFilePaths,
  limits: { readonly maxHandshakes?: number; readonly timeoutMs?: number } = {},
  address = '127.0.0.1:0',
): Promise<Running> {
  const deps = testDeps();
  const { clock, log } = deps;
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  const onSocket = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      heard.push(String(chunk));
      socket.write(chunk);
    });
    socket.on('end', () => socket.end('!'));
  };
  const handshakes = new Handshakes({
    failures: handshakeFailures(deps.metrics),
    maxHandshakes: () => limits.maxHandshakes ?? 100,
    timeoutMs: () => limits.timeoutMs ?? 5000,
    onSocket,
  });
  const files = await TlsFiles.open(paths, {
    ...{ clock, log, fileCheckIntervalMs: 10, what: 'tls' },
    changed: (material) => handshakes.use(material),
  });
  handshakes.use(files.material);
  const server = createServer({ allowHalfOpen: true }, (socket) => handshakes.accept(socket));
  const listener = await deps.net.listen(server, parseAddress(address));
  t.teardown(() => {
    listener.close();
    files.close();
    handshakes.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    handshakes,
    deps,
    port: listener.address.kind === 'tcp' ? listener.address.port : 0,
    heard,
    failures: async () => {
      const page = await deps.metrics.page();
      const found = page.matchAll(/^outrigger_ambassador_tls_handshake_failures_total\{reason="(\w+)"\} (\d+)$/gm); // prettier-ignore
      return Object.fromEntries([...found].map(([, reason, count]) => [reason, Number(count)]));
    },
  };
}

/** What comes back for `hello` until the end; rejects with the error of the socket. */
function talk(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += String(chunk)));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
    socket.end('hello');
  });
}

function secure(port: number, options: ConnectionOptions = {}): TLSSocket {
  return connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: [pem('ca.pem'), pem('other.pem')], ...options }); // prettier-ignore
}

/** The name in the certificate that a new client is shown. */
async function shownName(port: number, servername: string): Promise<string> {
  const socket = secure(port, { servername, checkServerIdentity: () => undefined });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return String(CN);
}

test('with TLS a client is one after its handshake, and half-open as well', async (t) => {
  const { port, handshakes, failures } = await listen(t, plainTls);
  t.equal(await talk(secure(port)), 'hello!');
  t.equal(handshakes.pending, 0);
  t.same(await failures(), {});
});

test('a unix socket takes clients with TLS', async (t) => {
  const path = join(tempDir(t), 's');
  await listen(t, plainTls, {}, `unix:${path}`);
  const socket = connectTls({ socket: connectPlain(path), servername: 'localhost', ca: pem('ca.pem') });
  t.equal(await talk(socket), 'hello!');
});

test('a client that must show a certificate and has none, or a strange one, never becomes one', async (t) => {
  const { port, heard, failures, handshakes } = await listen(t, {
    ...plainTls,
    caFile: fixture('ca.pem'),
  });
  await t.rejects(talk(secure(port)), { code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' });
  // TLS 1.3 lets the client believe it is in before the server has judged its certificate: it is cut off without a word.
  t.equal(await talk(secure(port, { cert: pem('other.pem'), key: pem('other.key') })).catch(() => ''), '');
  await eventually('both counted', async () => (await failures())['certificate'] === 2);
  t.same(heard, []);
  t.equal(await talk(secure(port, { cert: pem('server.pem'), key: pem('server.key') })), 'hello!');
  t.equal(handshakes.pending, 0);
});

test('what is no handshake, or none in time, is cut off and counted', async (t) => {
  const { port, failures, handshakes, heard } = await listen(t, plainTls, { timeoutMs: 200 });
  t.notMatch(await talk(connectPlain(port, '127.0.0.1')).catch(() => ''), 'hello');
  await eventually('garbage', async () => (await failures())['protocol'] === 1);
  const silent = connectPlain(port, '127.0.0.1');
  t.teardown(() => silent.destroy());
  silent.on('error', () => silent.destroy());
  await eventually('in a handshake', async () => handshakes.pending === 1);
  await eventually('timeout', async () => (await failures())['timeout'] === 1);
  const hasty = connectPlain(port, '127.0.0.1');
  await new Promise((resolve) => hasty.once('connect', resolve));
  hasty.destroy();
  await eventually('closed', async () => (await failures())['closed'] === 1);
  t.equal(handshakes.pending, 0);
  t.same(heard, []);
});

test('handshakes are bounded, and end when it closes; who is past his stays', async (t) => {
  const { port, failures, handshakes, heard } = await listen(t, plainTls, { maxHandshakes: 2 });
  const kept = secure(port);
  await new Promise((resolve, reject) => kept.once('secureConnect', resolve).once('error', reject));
  await eventually('past its handshake', async () => handshakes.pending === 0);
  const ended: Promise<unknown>[] = [];
  for (let i = 0; i < 2; i++) {
    const silent = connectPlain(port, '127.0.0.1');
    silent.on('error', () => silent.destroy());
    ended.push(new Promise((resolve) => silent.once('close', resolve)));
    silent.resume();
  }
  await eventually('two in a handshake', async () => handshakes.pending === 2);
  await t.rejects(talk(secure(port)), { code: 'ECONNRESET' });
  await eventually('full', async () => (await failures())['full'] === 1);
  handshakes.close();
  await Promise.all(ended);
  await eventually('none left', async () => handshakes.pending === 0);
  kept.write('still here');
  await eventually('heard', async () => heard.includes('still here'));
  kept.destroy();
});

test('certificates change while clients are connected; half a change waits for the other half', async (t) => {
  const folder = tempDir(t);
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  copyFileSync(fixture('server.pem'), certFile);
  copyFileSync(fixture('server.key'), keyFile);
  const { port, deps, heard } = await listen(t, { certFile, keyFile });
  const kept = secure(port);
  await new Promise((resolve, reject) => kept.once('secureConnect', resolve).once('error', reject));
  t.equal(await shownName(port, 'localhost'), 'localhost');

  copyFileSync(fixture('other.pem'), certFile);
  await eventually('told', async () => /new certificates cannot be used/.test(deps.lines.join('')));
  t.equal(await shownName(port, 'localhost'), 'localhost', 'the last good pair');
  copyFileSync(fixture('other.key'), keyFile);
  await eventually('the new pair', async () => (await shownName(port, 'localhost')) === 'redis.internal');
  t.notMatch(deps.lines.join(''), /PRIVATE KEY/);

  kept.write('still here');
  await eventually('the old connection lives', async () => heard.includes('still here'));
  kept.destroy();
});

test('files that cannot be used are an error at the start, and named', async (t) => {
  const folder = tempDir(t);
  const noPem = join(folder, 'text.pem');
  writeFileSync(noPem, 'no certificate');
  await t.rejects(listen(t, { ...plainTls, certFile: noPem }), {
    code: 'AMBASSADOR_TLS_FILES',
    target: noPem,
  });
  await t.rejects(listen(t, { ...plainTls, keyFile: fixture('other.key') }), { code: 'AMBASSADOR_TLS_FILES', message: /mismatch/ }); // prettier-ignore
  const missing = join(folder, 'none.pem');
  await t.rejects(listen(t, { ...plainTls, certFile: missing }), { code: 'AMBASSADOR_TLS_FILES', target: missing, message: /cannot be read: ENOENT/ }); // prettier-ignore
});
