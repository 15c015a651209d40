/** The HTTP shell around the handlers: sockets, bodies, timeouts, TLS. It knows nothing of what it carries. */

import { readFile } from 'node:fs/promises';
import type { IncomingMessage, OutgoingHttpHeaders, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TlsOptions, TLSSocket } from 'node:tls';
import { ApiError } from '@outrigger/core/api';
import { OutriggerError } from '@outrigger/core/errors';
import type { Logger } from '@outrigger/core/log';
import { http } from '@outrigger/core/net';
import type { Address, Net } from '@outrigger/core/net';
import type { TlsFiles } from './config.ts';
import type { Answer, ApiRequest, Handler, Peer } from './handlers/http.ts';
import { isStream } from './handlers/http.ts';
import { statusAnswer } from './handlers/respond.ts';
import { Pace } from './pace.ts';
import { responseSink } from './watch/sinks.ts';

export interface ApiServerOptions {
  readonly address: Address;
  readonly tls: TlsFiles | undefined;
  readonly net: Net;
  readonly log: Logger;
  readonly handler: Handler;
  readonly maxBodyBytes: number;
  readonly maxConnections: number;
}

export interface ApiServer {
  readonly name: string;
  /** Connections open. */
  connections(): number;
  /** Stops accepting; resolves when every request under way has been answered. */
  drain(): Promise<void>;
  close(): Promise<void>;
  /** Reads the certificates again; connections that are open keep theirs. Throws CONFIG_INVALID and changes nothing. */
  reloadTls(files: TlsFiles): Promise<void>;
}

/** A request's headers must be here this soon, in ms: slower ones hold a connection for nothing. */
const headersTimeoutMs = 10_000;
/** The whole request, body included. Watches are answers, not requests, and last as long as they like. */
const requestTimeoutMs = 60_000;
/** Idle connections are kept longer than clients keep them, so that none is closed under a request. */
const keepAliveTimeoutMs = 120_000;
const maxHeaderBytes = 64 * 1024;
/** Bytes of the request target. */
const maxUrlBytes = 16 * 1024;

const serverOptions: ServerOptions = {
  headersTimeout: headersTimeoutMs,
  requestTimeout: requestTimeoutMs,
  keepAliveTimeout: keepAliveTimeoutMs,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: maxHeaderBytes,
  noDelay: true,
  // A peer that vanished without a word would otherwise hold its watches for ever.
  keepAlive: true,
  keepAliveInitialDelay: 30_000,
};

/** At about 100 µs each. */
const requestsPerTurn = 4;

export async function startServer(options: ApiServerOptions): Promise<ApiServer> {
  let draining = false;
  const pace = new Pace(requestsPerTurn);
  /** Sockets with a request under way. The server's own idea of idle leaves out connections that never sent one. */
  const busy = new Set<Socket>();
  const server = await createServer(options.tls, (request, response) => {
    const { socket } = request;
    busy.add(socket);
    response.once('close', () => {
      busy.delete(socket);
      if (draining) socket.destroySoon();
    });
    serve(options, request, response, pace, () => draining).catch((error: unknown) => {
      options.log.error('a request could not be answered', { url: request.url, error });
      response.destroy();
    });
  });
  server.maxConnections = options.maxConnections;
  const closed = new Promise<void>((resolve) => server.once('close', resolve));
  const open = new Set<Socket>();
  server.on(options.tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  const listener = await options.net.listen(server, options.address);
  return {
    name: listener.name,
    connections: () => open.size,
    drain: async () => {
      draining = true;
      listener.close();
      for (const socket of open) if (!busy.has(socket)) socket.destroySoon();
      await closed;
    },
    close: async () => {
      listener.close();
      server.closeAllConnections();
      await closed;
    },
    reloadTls: async (files) => {
      const credentials = await readCredentials(files);
      if ('setSecureContext' in server) (server as HttpsServer).setSecureContext(credentials);
    },
  };
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

async function createServer(tls: TlsFiles | undefined, listener: Listener): Promise<Server> {
  if (tls === undefined) return http.createServer(serverOptions, listener);
  const [https, credentials] = await Promise.all([import('node:https'), readCredentials(tls)]);
  return https.createServer({ ...serverOptions, ...credentials }, listener);
}

async function readCredentials({ certFile, keyFile, clientCaFile }: TlsFiles): Promise<TlsOptions> {
  const [cert, key, ca] = await Promise.all([
    readPem(certFile),
    readPem(keyFile),
    clientCaFile === undefined ? undefined : readPem(clientCaFile),
  ]);
  const clients = ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: true };
  return { cert, key, minVersion: 'TLSv1.2', ...clients };
}

async function readPem(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new OutriggerError(`cannot read ${file}: ${(error as Error).message}`, {
      code: 'CONFIG_INVALID',
      target: file,
      hint: 'give the path of a PEM file this user can read',
      cause: error,
    });
  }
}

async function serve(
  options: ApiServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  pace: Pace,
  draining: () => boolean,
): Promise<void> {
  const waiting = pace.enter();
  if (waiting !== undefined) await waiting;
  const url = request.url ?? '/';
  const answer =
    url.length > maxUrlBytes
      ? tooLongUrl()
      : await options.handler(toApiRequest(request, url, options.maxBodyBytes));
  if (draining()) response.setHeader('connection', 'close');
  if (!isStream(answer)) {
    send(request, response, answer);
    return;
  }
  response.writeHead(answer.status, answer.headers as OutgoingHttpHeaders);
  response.flushHeaders();
  answer.open(responseSink(response));
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const body = answer.body ?? '';
  response.writeHead(answer.status, {
    ...(answer.headers as OutgoingHttpHeaders),
    'content-length': Buffer.byteLength(body),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function toApiRequest(request: IncomingMessage, url: string, maxBodyBytes: number): ApiRequest {
  const target = originForm(url);
  const question = target.indexOf('?');
  return {
    method: request.method ?? 'GET',
    path: question < 0 ? target : target.slice(0, question),
    query: new URLSearchParams(question < 0 ? '' : target.slice(question + 1)),
    headers: request.headers,
    peer: peerOf(request),
    body: () => readBody(request, maxBodyBytes),
  };
}

/** Clients behind a proxy may name the server in the request target too (RFC 9112, 3.2.2). */
function originForm(url: string): string {
  return url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?]*/i, '');
}

function peerOf({ socket }: IncomingMessage): Peer {
  const certificate =
    'getPeerCertificate' in socket ? (socket as TLSSocket).getPeerCertificate().subject : undefined;
  return {
    address: socket.remoteAddress ?? '',
    certificate:
      certificate === undefined
        ? undefined
        : { commonName: [certificate.CN].flat()[0] ?? '', organizations: [certificate.O ?? []].flat() },
  };
}

/** What is too large is not kept: the rest is read and dropped, so that the refusal reaches a client still sending. */
function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return Promise.reject(tooLarge(maxBytes));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else reject(tooLarge(maxBytes));
    });
    request.once('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    // A client that goes away in the middle of its body shows first as an error: its doing, not ours.
    const ended = (): void => {
      if (!request.complete) reject(ApiError.badRequest('the connection ended before the body did'));
    };
    request.once('error', ended);
    request.once('close', ended);
  });
}

function tooLarge(maxBytes: number): ApiError {
  return ApiError.tooLarge(`limit is ${maxBytes}`);
}

function tooLongUrl(): Answer {
  const message = `the URL is longer than ${maxUrlBytes} bytes`;
  return statusAnswer({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason: 'RequestURITooLong',
    code: 414,
  });
}
