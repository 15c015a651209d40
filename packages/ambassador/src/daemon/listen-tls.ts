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
  /** Every socket below TLS that is open. */
  readonly #sockets = new Set<Socket>();
  #pending = 0;
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
      this.#pending -= 1;
      socket.allowHalfOpen = true;
      this.#options.onSocket(socket);
    });
    // Of each handshake there is either this or `secureConnection`.
    server.on('tlsClientError', (error, socket) => {
      this.#pending -= 1;
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
    this.#sockets.add(raw);
    // A client whose side has ended can finish no handshake.
    raw.allowHalfOpen = false;
    raw.once('close', () => this.#sockets.delete(raw));
    this.#server.emit('connection', raw);
  }

  /** Ends what is open, handshakes above all: nobody else knows of them. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
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
