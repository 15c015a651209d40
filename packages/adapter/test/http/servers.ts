/** Real servers on loopback for the tests of what is asked over HTTP. */

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createSocketServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { join } from 'node:path';
import { toolPath } from '../../../../test/harness/index.ts';
import type { Teardown } from '../../../../test/harness/index.ts';
import type { Asked } from '../../src/sources/source.ts';

export interface Endpoint {
  readonly port: number;
  readonly url: string;
  /** Connections taken so far. */
  readonly connections: () => number;
  /** Connections open now. */
  readonly open: () => number;
  readonly close: () => Promise<void>;
}

export function serve(t: Teardown, answer: RequestListener): Promise<Endpoint> {
  return listening(t, createServer(answer), 'http');
}

export function serveTls(
  t: Teardown,
  files: { cert: string; key: string; ca?: string },
  answer: RequestListener,
): Promise<Endpoint> {
  const options = {
    cert: readFileSync(files.cert),
    key: readFileSync(files.key),
    ...(files.ca === undefined
      ? {}
      : { ca: readFileSync(files.ca), requestCert: true, rejectUnauthorized: true }),
  };
  return listening(t, createTlsServer(options, answer), 'https');
}

/** Says what HTTP servers never say. */
export function serveBytes(t: Teardown, connected: (socket: Socket) => void): Promise<Endpoint> {
  return listening(t, createSocketServer(connected), 'http');
}

async function listening(t: Teardown, server: Server, scheme: string): Promise<Endpoint> {
  let connections = 0;
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections++;
    open.add(socket);
    // Clients that hang up in the middle are what these tests are about.
    socket.on('error', () => undefined).on('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of open) socket.destroy();
    await closed;
  };
  t.teardown(close);
  return {
    port,
    url: `${scheme}://127.0.0.1:${port}/`,
    connections: () => connections,
    open: () => open.size,
    close,
  };
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Asked with time enough. */
export function asked(leftMs = 30_000): Asked {
  return { signal: AbortSignal.timeout(leftMs), leftMs };
}

/** A CA, a server certificate for localhost, and a client certificate. */
export function makeCertificates(
  dir: string,
): Record<'ca' | 'cert' | 'key' | 'clientCert' | 'clientKey', string> {
  const run = (...args: string[]): void => {
    const { status, stderr } = spawnSync(toolPath('openssl'), args, { cwd: dir, encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
  };
  const fresh = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  run(...fresh, '-x509', '-days', '2', '-subj', '/CN=test CA', '-keyout', 'ca.key', '-out', 'ca.pem');
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-x509', '-days', '2'];
  const name = ['-addext', 'subjectAltName=DNS:localhost'];
  run(...fresh, ...signed, '-subj', '/CN=localhost', ...name, '-keyout', 'server.key', '-out', 'server.pem');
  run(...fresh, ...signed, '-subj', '/CN=client', '-keyout', 'client.key', '-out', 'client.pem');
  const file = (base: string): string => join(dir, base);
  return {
    ca: file('ca.pem'),
    cert: file('server.pem'),
    key: file('server.key'),
    clientCert: file('client.pem'),
    clientKey: file('client.key'),
  };
}
