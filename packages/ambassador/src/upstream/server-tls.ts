/** TLS to servers as configured by `serverTls`: authorities, a client certificate, the name to ask for. */

import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { ConnectionOptions, SecureContext } from 'node:tls';
import { TlsFiles } from '../access/tls-files.ts';
import type { TlsFilesOptions } from '../access/tls-files.ts';
import type { ServerTls } from '../daemon/config.ts';
import type { Server } from './server.ts';

/** What a new connection to a server with TLS uses; undefined is Node's defaults. */
export interface DialTls {
  readonly secureContext: SecureContext;
  readonly serverName: string | undefined;
}

/** The current `DialTls`; connections made from then on use new certificates. */
export class ServerTlsFiles {
  readonly #files: TlsFiles;
  readonly #serverName: string | undefined;
  #current: DialTls;

  /** Throws AMBASSADOR_TLS_FILES. */
  static async open(
    tls: ServerTls,
    options: Omit<TlsFilesOptions, 'what' | 'changed'>,
  ): Promise<ServerTlsFiles> {
    const changed = (): void => opened.#renew();
    const files = await TlsFiles.open(tls, { ...options, what: 'serverTls', changed });
    const opened = new ServerTlsFiles(files, tls.serverName);
    return opened;
  }

  private constructor(files: TlsFiles, serverName: string | undefined) {
    this.#files = files;
    this.#serverName = serverName;
    this.#current = this.#make();
  }

  get current(): DialTls {
    return this.#current;
  }

  close(): void {
    this.#files.close();
  }

  #renew(): void {
    this.#current = this.#make();
  }

  #make(): DialTls {
    return { secureContext: createSecureContext(this.#files.material), serverName: this.#serverName };
  }
}

/** Options of `tls.connect` for a server, for whoever dials by itself. */
export function tlsOptions(server: Server, tls: DialTls | undefined): ConnectionOptions {
  const host = server.address.kind === 'tcp' ? server.address.host : 'localhost';
  // A name is sent so that the server can pick its certificate; an address cannot be (RFC 6066), but is verified too.
  const name = tls?.serverName ?? (isIP(host) === 0 ? host : undefined);
  return {
    host,
    ...(name === undefined ? {} : { servername: name }),
    ...(tls === undefined ? {} : { secureContext: tls.secureContext }),
  };
}
