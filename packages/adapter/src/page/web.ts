/** The web configuration as it is now: its file is looked at on a timer, and with it the certificates it names. */

import type { Clock, Timer } from '@outrigger/core/clock';
import { OutriggerError, errorCode } from '@outrigger/core/errors';
import type { Logger } from '@outrigger/core/log';
import { readFile, stat } from 'node:fs/promises';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import { HashThread, Users } from './users.ts';
import type { Verdict } from './users.ts';
import { openWeb, readWebConfig } from './web-config.ts';
import type { WebConfig } from './web-config.ts';

/** How often files are looked at, in ms. */
export const lookEveryMs = 2000;

export interface WebParts {
  readonly clock: Clock;
  readonly log: Logger;
}

export class Web {
  readonly #file: string | undefined;
  readonly #parts: WebParts;
  readonly #thread = new HashThread();
  #config: WebConfig;
  #tls: TlsOptions | undefined;
  #users: Users;
  #seen: string;
  #timer: Timer | undefined;
  #closed = false;
  #tokens = 0;
  #filled = 0;
  #onTls: (options: SecureContextOptions) => void = () => undefined;

  private constructor(file: string | undefined, loaded: Loaded, seen: string, parts: WebParts) {
    this.#file = file;
    this.#parts = parts;
    this.#config = loaded.config;
    this.#tls = loaded.tls;
    this.#users = new Users(loaded.config.users, this.#thread);
    this.#seen = seen;
    this.#fill();
    if (file !== undefined) this.#wait(file);
  }

  /** Throws CONFIG_INVALID and WEB_CONFIG_UNREADABLE. */
  static async open(file: string | undefined, parts: WebParts): Promise<Web> {
    if (file === undefined) return new Web(file, { config: openWeb, tls: undefined }, '', parts);
    const loaded = await load(file);
    return new Web(file, loaded, await markOf(file, loaded.config), parts);
  }

  get config(): WebConfig {
    return this.#config;
  }

  /** What a TLS server is made with; undefined: plain HTTP. */
  get tls(): TlsOptions | undefined {
    return this.#tls;
  }

  /** Called when certificates have changed. */
  onTls(change: (options: SecureContextOptions) => void): void {
    this.#onTls = change;
  }

  check(authorization: string | undefined): Promise<Verdict> {
    return this.#users.check(authorization);
  }

  /** False: more requests than the rate allows. */
  mayPass(): boolean {
    const { rate } = this.#config;
    if (rate === undefined) return true;
    const now = this.#parts.clock.now();
    this.#tokens = Math.min(rate.burst, this.#tokens + (now - this.#filled) / rate.intervalMs);
    this.#filled = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Reads the file again if it has changed; a bad one is refused, and what was read before stays. */
  async look(): Promise<void> {
    if (this.#file === undefined) return;
    const mark = await markOf(this.#file, this.#config);
    if (mark === this.#seen) return;
    this.#seen = mark;
    const { log } = this.#parts;
    try {
      this.#take(await load(this.#file));
      this.#seen = await markOf(this.#file, this.#config);
      log.info('web configuration read again', { file: this.#file });
    } catch (error) {
      log.error('web configuration refused; the one before stays', { file: this.#file, error });
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#thread.close();
  }

  #take(loaded: Loaded): void {
    if ((loaded.tls === undefined) !== (this.#tls === undefined)) {
      throw new OutriggerError('TLS cannot be switched on or off while the adapter runs', {
        code: 'CONFIG_INVALID',
        target: this.#file ?? '',
        hint: 'restart the adapter',
      });
    }
    this.#config = loaded.config;
    this.#tls = loaded.tls;
    this.#users = new Users(loaded.config.users, this.#thread);
    this.#fill();
    if (loaded.tls !== undefined) this.#onTls(loaded.tls);
  }

  #fill(): void {
    this.#tokens = this.#config.rate?.burst ?? 0;
    this.#filled = this.#parts.clock.now();
  }

  #wait(file: string): void {
    if (this.#closed) return;
    this.#timer = this.#parts.clock.setTimeout(() => {
      void this.look().finally(() => this.#wait(file));
    }, lookEveryMs);
  }
}

interface Loaded {
  readonly config: WebConfig;
  readonly tls: TlsOptions | undefined;
}

async function load(file: string): Promise<Loaded> {
  const config = await readWebConfig(await read(file), file);
  const { tls } = config;
  if (tls === undefined) return { config, tls };
  const [cert, key, ca] = await Promise.all([
    read(tls.certFile),
    read(tls.keyFile),
    tls.clientCaFile === undefined ? undefined : read(tls.clientCaFile),
  ]);
  return {
    config,
    tls: {
      cert,
      key,
      ...(ca === undefined ? {} : { ca }),
      requestCert: tls.clientAuth !== 'NoClientCert',
      rejectUnauthorized: tls.clientAuth === 'RequireAndVerifyClientCert',
      minVersion: tls.minVersion,
      maxVersion: tls.maxVersion,
    },
  };
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new OutriggerError(`cannot read ${file}: ${errorCode(error)}`, {
      code: 'WEB_CONFIG_UNREADABLE',
      target: file,
      hint: 'it must exist and be readable by this user',
      cause: error,
    });
  }
}

/** Changes when one of the files does, in place or behind a link. */
async function markOf(file: string, { tls }: WebConfig): Promise<string> {
  const files = [file, tls?.certFile, tls?.keyFile, tls?.clientCaFile].filter((one) => one !== undefined);
  const marks = files.map(async (one) => {
    try {
      const { ino, size, mtimeMs } = await stat(one);
      return `${ino} ${size} ${mtimeMs}`;
    } catch (error) {
      return errorCode(error);
    }
  });
  return (await Promise.all(marks)).join(', ');
}
