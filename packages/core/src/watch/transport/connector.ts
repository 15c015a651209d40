/** Opens the sockets that undici speaks HTTP over: through the network joint, with TLS on top where the URL says so. */

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { buildConnector } from 'undici';
import type { Clock } from '../../clock/index.ts';
import { errorCode, OutriggerError } from '../../errors/index.ts';
import type { Net } from '../../net/index.ts';
import type { ControlConnection } from '../connection/connection.ts';
import { serverNameFor } from '../connection/url.ts';
import type { ControlUrl } from '../connection/url.ts';
import type { ClientLimits } from './limits.ts';

export interface ConnectorDeps {
  readonly net: Net;
  readonly clock: Clock;
  /** Gives up what is being connected. */
  readonly closing: AbortSignal;
}

export function connectorFor(
  url: ControlUrl,
  connection: ControlConnection,
  limits: ClientLimits,
  deps: ConnectorDeps,
): buildConnector.connector {
  const connect = async (callback: buildConnector.Callback): Promise<void> => {
    let socket: Socket;
    try {
      socket = await open(url, connection, limits, deps);
    } catch (error) {
      callback(unreachable(url, error), null);
      return;
    }
    callback(null, socket);
  };
  return (_options, callback) => void connect(callback);
}

async function open(
  url: ControlUrl,
  connection: ControlConnection,
  limits: ClientLimits,
  deps: ConnectorDeps,
): Promise<Socket> {
  const settings = url.tls ? await connection.tls() : undefined;
  const tls = settings === undefined ? undefined : await import('node:tls');
  const raw = deps.net.connect(url.address, { keepAliveMs: limits.keepAliveMs });
  const timer = deps.clock.setTimeout(() => raw.destroy(slow(url, limits)), limits.connectTimeoutMs);
  const onClosing = (): void => void raw.destroy(deps.closing.reason as Error);
  deps.closing.addEventListener('abort', onClosing, { once: true });
  try {
    if (deps.closing.aborted) onClosing();
    if (tls === undefined || settings === undefined) return await until(raw, 'connect');
    const servername = settings.serverName ?? serverNameFor(url.hostname);
    const secure: TLSSocket = tls.connect({
      socket: raw,
      host: url.hostname,
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: settings.rejectUnauthorized,
      ...(servername === undefined ? {} : { servername }),
      ...(settings.ca === undefined ? {} : { ca: settings.ca }),
      ...(settings.cert === undefined ? {} : { cert: settings.cert }),
      ...(settings.key === undefined ? {} : { key: settings.key }),
    });
    return await until(secure, 'secureConnect', raw);
  } finally {
    deps.closing.removeEventListener('abort', onClosing);
    timer.cancel();
  }
}

/** Resolves with `socket` once it emits `event`; on failure of either socket both are gone. */
function until<S extends Socket>(
  socket: S,
  event: 'connect' | 'secureConnect',
  raw: Socket = socket,
): Promise<S> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      settle();
      // Late errors of a socket nobody uses any more.
      socket.on('error', () => {});
      raw.on('error', () => {});
      socket.destroy();
      raw.destroy();
      reject(error);
    };
    const closed = (): void => fail(new Error('the connection was closed before it was ready'));
    const opened = (): void => {
      settle();
      resolve(socket);
    };
    const settle = (): void => {
      socket.off(event, opened).off('error', fail).off('close', closed);
      if (raw !== socket) raw.off('error', fail);
    };
    socket.once(event, opened).once('error', fail).once('close', closed);
    if (raw !== socket) raw.once('error', fail);
  });
}

function slow(url: ControlUrl, limits: ClientLimits): OutriggerError {
  return new OutriggerError(`no connection to ${url.text} within ${limits.connectTimeoutMs} ms`, {
    code: 'CONTROL_UNREACHABLE',
    target: url.text,
    hint: 'check the address and what lies between',
  });
}

function unreachable(url: ControlUrl, cause: unknown): OutriggerError {
  if (cause instanceof OutriggerError) return cause;
  const code = errorCode(cause);
  const why = cause instanceof Error && code === 'UNKNOWN' ? cause.message : code;
  return new OutriggerError(`cannot connect to ${url.text}: ${why}`, {
    code: 'CONTROL_UNREACHABLE',
    target: url.text,
    hint: hintFor(code),
    cause,
  });
}

function hintFor(code: string): string {
  if (code === 'ECONNREFUSED' || code === 'ENOENT') return 'is the control service running there?';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the host name does not resolve';
  if (code.includes('CERT') || code.includes('SIGNATURE') || code.startsWith('ERR_TLS')) {
    return 'the certificate is not trusted for this name: check --control-ca and the URL';
  }
  return 'check the address and what lies between';
}
