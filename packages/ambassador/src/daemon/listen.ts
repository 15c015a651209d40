/** The listener that applications connect to: plain, or with TLS whose certificates and settings may change meanwhile. */

import type { Clock } from '@outrigger/core/clock';
import type { Logger } from '@outrigger/core/log';
import type { Metrics } from '@outrigger/core/metrics';
import { warnOfExposure } from '@outrigger/core/net';
import type { Address, Listener, Net } from '@outrigger/core/net';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { TlsFiles } from '../access/tls-files.ts';
import type { ListenerTls } from './config.ts';
import type { AmbassadorLimits } from './limits.ts';
import { handshakeFailures, Handshakes } from './listen-tls.ts';

export interface ClientServerDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface ClientServerOptions {
  readonly tls: ListenerTls | undefined;
  readonly limits: () => Pick<AmbassadorLimits, 'maxClients' | 'handshakeTimeoutMs' | 'fileCheckIntervalMs'>;
  /** A client, past its TLS handshake where there is one. Its side may close alone (half-open). */
  readonly onSocket: (socket: Socket) => void;
}

/** A server that is not listening yet, and what it does with TLS. */
export class ClientServer {
  readonly server: Server;
  readonly #options: ClientServerOptions;
  readonly #deps: ClientServerDeps;
  readonly #handshakes: Handshakes;
  #files: TlsFiles | undefined;

  /** Throws AMBASSADOR_TLS_FILES. */
  static async open(options: ClientServerOptions, deps: ClientServerDeps): Promise<ClientServer> {
    const opened = new ClientServer(options, deps);
    await opened.reload(options.tls);
    return opened;
  }

  private constructor(options: ClientServerOptions, deps: ClientServerDeps) {
    const { limits, onSocket } = options;
    this.#options = options;
    this.#deps = deps;
    this.#handshakes = new Handshakes({
      failures: handshakeFailures(deps.metrics),
      maxHandshakes: () => limits().maxClients,
      timeoutMs: () => limits().handshakeTimeoutMs,
      onSocket,
    });
    this.server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      if (this.#files === undefined) onSocket(socket);
      else this.#handshakes.accept(socket);
    });
  }

  /** TLS handshakes under way: connections that are no clients yet. */
  get handshakes(): number {
    return this.#handshakes.pending;
  }

  /** For connections from now on; undefined is no TLS. Throws AMBASSADOR_TLS_FILES, and changes nothing. */
  async reload(tls: ListenerTls | undefined): Promise<void> {
    const files = tls === undefined ? undefined : await this.#open(tls);
    this.#files?.close();
    this.#files = files;
    if (files !== undefined) this.#handshakes.use(files.material);
  }

  /** Ends handshakes and connections with TLS; what is plain belongs to whoever was given it. */
  close(): void {
    this.#files?.close();
    this.#handshakes.close();
  }

  #open({ certFile, keyFile, clientCaFile }: ListenerTls): Promise<TlsFiles> {
    const { clock, log } = this.#deps;
    return TlsFiles.open(
      { certFile, keyFile, caFile: clientCaFile },
      {
        clock,
        log,
        fileCheckIntervalMs: this.#options.limits().fileCheckIntervalMs,
        what: 'tls',
        changed: (material) => this.#handshakes.use(material),
      },
    );
  }
}

export interface ClientListener extends Listener {
  readonly handshakes: number;
  /** As `ClientServer.reload`. */
  reload(tls: ListenerTls | undefined): Promise<void>;
  /** Ends what is in a handshake too. */
  destroy(): void;
}

/** Listens for applications. Throws AMBASSADOR_TLS_FILES, LISTEN_FAILED. */
export async function listenForClients(
  address: Address,
  options: ClientServerOptions,
  deps: ClientServerDeps & { readonly net: Net },
): Promise<ClientListener> {
  const clients = await ClientServer.open(options, deps);
  let listener: Listener;
  try {
    listener = await deps.net.listen(clients.server, address);
  } catch (error) {
    clients.close();
    throw error;
  }
  if (options.tls === undefined) warnOfExposure(deps.log, 'redis', listener.address);
  return {
    address: listener.address,
    name: listener.name,
    close: () => listener.close(),
    get handshakes() {
      return clients.handshakes;
    },
    reload: (tls) => clients.reload(tls),
    destroy: () => {
      listener.close();
      clients.close();
    },
  };
}
