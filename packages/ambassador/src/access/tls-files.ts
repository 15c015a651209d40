/**
 * Certificates and keys in files, as a TLS context that is made anew when the files change. Files of one rotation change
 * one after the other: a certificate without its key is no context, so the last good one stays until the rest is there.
 */

import type { Clock } from '@outrigger/core/clock';
import { errorCode, OutriggerError } from '@outrigger/core/errors';
import type { Logger } from '@outrigger/core/log';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { SecureContextOptions } from 'node:tls';
import { FileWatch } from './files.ts';

/** PEM files. */
export interface TlsFilePaths {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

export interface TlsFilesOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly fileCheckIntervalMs: number;
  /** What they are for, in messages: `tls`, `serverTls`. */
  readonly what: string;
  /** The material is another now. */
  readonly changed?: (material: SecureContextOptions) => void;
}

export class TlsFiles {
  readonly #paths: TlsFilePaths;
  readonly #options: TlsFilesOptions;
  #material: SecureContextOptions = {};
  #watch: FileWatch | undefined;

  /** Throws AMBASSADOR_TLS_FILES when they cannot be read or do not belong together. */
  static async open(paths: TlsFilePaths, options: TlsFilesOptions): Promise<TlsFiles> {
    const files = new TlsFiles(paths, options);
    await files.#begin();
    return files;
  }

  private constructor(paths: TlsFilePaths, options: TlsFilesOptions) {
    this.#paths = paths;
    this.#options = options;
  }

  /** As last read, and known to work. */
  get material(): SecureContextOptions {
    return this.#material;
  }

  close(): void {
    this.#watch?.close();
  }

  async #begin(): Promise<void> {
    const { clock, fileCheckIntervalMs: intervalMs } = this.#options;
    const paths = Object.values(this.#paths).filter((path) => path !== undefined);
    const watch = await FileWatch.open(paths, { clock, intervalMs, changed: () => this.#readAgain() });
    try {
      this.#material = await this.#read();
    } catch (error) {
      watch.close();
      throw error;
    }
    this.#watch = watch;
  }

  async #readAgain(): Promise<void> {
    const { log, what, changed } = this.#options;
    try {
      this.#material = await this.#read();
    } catch (error) {
      log.warn('new certificates cannot be used, the last ones stay in use', { what, error });
      return;
    }
    log.info('new certificates in use', { what });
    changed?.(this.#material);
  }

  async #read(): Promise<SecureContextOptions> {
    const { caFile, certFile, keyFile } = this.#paths;
    const [ca, cert, key] = await Promise.all([caFile, certFile, keyFile].map((path) => this.#file(path)));
    const material: SecureContextOptions = {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    };
    try {
      createSecureContext(material);
    } catch (cause) {
      const [named = ''] = [certFile, caFile].filter((path) => path !== undefined);
      throw this.#bad(named, `cannot be used: ${(cause as Error).message}`, cause);
    }
    return material;
  }

  async #file(path: string | undefined): Promise<Buffer | undefined> {
    if (path === undefined) return undefined;
    try {
      return await readFile(path);
    } catch (cause) {
      throw this.#bad(path, `cannot be read: ${errorCode(cause)}`, cause);
    }
  }

  #bad(path: string, why: string, cause: unknown): OutriggerError {
    return new OutriggerError(`${this.#options.what}: ${path} ${why}`, {
      code: 'AMBASSADOR_TLS_FILES',
      target: path,
      hint: 'give PEM files that this user may read, the key that of the certificate',
      cause,
    });
  }
}
