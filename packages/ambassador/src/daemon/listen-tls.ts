/**
 * TLS for applications: handshakes on sockets that a plain listener has accepted.
 *
 * A TLS server that never listens makes the handshakes, one for each set of certificates: a new set takes effect by a new
 * server in its place, whatever has changed (certificate, authorities, whether clients must show one), and connections
 * that exist are not touched.
 */

import { errorCode } from '@outrigger/core/errors';
import type { Family, Metrics } from '@outrigger/core/metrics';
import type { Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { SecureContextOptions, Server, TLSSocket } from 'node:tls';

export interface HandshakesOptions {
  readonly failures: Family;
  readonly maxHandshakes: () => number;
  readonly timeoutMs: () => number;
  readonly onSocket: (socket: TLSSocket) => void;
}

/** Handshakes under way; `material.ca` present means that clients must show a certificate. */
export class Handshakes {
  readonly #options: HandshakesOptions;
  /** In a handshake, by the client's address: the socket below TLS and the one above it share it. Unix sockets have none. */
  readonly #sockets = new Map<string, Socket>();
  #pending = 0;
  #closed = false;
  #server: Server | undefined;

  constructor(options: HandshakesOptions) {
    this.#options = options;
  }

  get pending(): number {
    return this.#pending;
  }

  use(material: SecureContextOptions): void {
    const mustShow = material.ca !== undefined;
    const server = createServer({
      ...material,
      requestCert: mustShow,
      rejectUnauthorized: mustShow,
      handshakeTimeout: this.#options.timeoutMs(),
    });
    server.on('secureConnection', (socket) => {
      this.#settled(socket);
      if (this.#closed) {
        socket.destroy();
        return;
      }
      socket.allowHalfOpen = true;
      this.#options.onSocket(socket);
    });
    // Of each handshake there is either this or `secureConnection`.
    server.on('tlsClientError', (error, socket) => {
      this.#settled(socket);
      this.#options.failures.add(1, reasonOf(error, socket));
      socket.destroy();
    });
    this.#server = server;
  }

  accept(raw: Socket): void {
    if (this.#server === undefined || this.#pending >= this.#options.maxHandshakes()) {
      this.#options.failures.add(1, 'full');
      raw.destroy();
      return;
    }
    this.#pending += 1;
    const key = addressOf(raw);
    if (key !== undefined) this.#track(key, raw);
    // A client whose side has ended can finish no handshake.
    raw.allowHalfOpen = false;
    this.#server.emit('connection', raw);
  }

  /** No handshake ends well from now on. Clients that are past theirs stay. */
  close(): void {
    this.#closed = true;
    for (const socket of this.#sockets.values()) socket.destroy();
  }

  #track(key: string, raw: Socket): void {
    this.#sockets.set(key, raw);
    raw.once('close', () => {
      if (this.#sockets.get(key) === raw) this.#sockets.delete(key);
    });
  }

  #settled(socket: TLSSocket): void {
    this.#pending -= 1;
    const key = addressOf(socket);
    if (key !== undefined) this.#sockets.delete(key);
  }
}

export function handshakeFailures(metrics: Metrics): Family {
  return metrics.counter({
    name: 'outrigger_ambassador_tls_handshake_failures_total',
    help: 'TLS handshakes of clients that failed: certificate (none, or of no authority we know), timeout, closed by the client, full (too many at once), protocol (anything else).',
    labels: ['reason'],
  });
}

function reasonOf(error: Error, socket: TLSSocket): string {
  const code = errorCode(error);
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'timeout';
  if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE' || socket.authorizationError) return 'certificate';
  return code === 'ECONNRESET' ? 'closed' : 'protocol';
}

function addressOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remotePort === undefined ? undefined : `${remoteAddress} ${remotePort}`;
}
