/**
 * The passwords that a configuration names, by where they are read from. Files are read again when they change; one that
 * cannot be read any more, or is empty, leaves its last password in use.
 */

import type { Clock } from '@outrigger/core/clock';
import type { Logger } from '@outrigger/core/log';
import type { AmbassadorConfig, Login, SecretFrom } from '../daemon/config.ts';
import { readPassword } from '../upstream/credentials.ts';
import type { Credentials, Environment } from '../upstream/credentials.ts';
import { FileWatch } from './files.ts';

export interface SecretsOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly environment: Environment;
  readonly fileCheckIntervalMs: number;
  /** A password is another now. What is logged in stays so. */
  readonly changed?: () => void;
}

export class Secrets {
  readonly #sources: ReadonlyMap<string, SecretFrom>;
  readonly #options: SecretsOptions;
  readonly #passwords = new Map<string, string>();
  readonly #failing = new Set<string>();
  #watch: FileWatch | undefined;

  /** Reads them all. Throws AMBASSADOR_NO_PASSWORD for the first that is not there. */
  static async open(sources: readonly SecretFrom[], options: SecretsOptions): Promise<Secrets> {
    const secrets = new Secrets(sources, options);
    await secrets.#begin();
    return secrets;
  }

  private constructor(sources: readonly SecretFrom[], options: SecretsOptions) {
    this.#sources = new Map(sources.map((source) => [keyOf(source), source]));
    this.#options = options;
  }

  /** As last read. Only of a source that was given to `open`. */
  get(source: SecretFrom): string {
    const password = this.#passwords.get(keyOf(source));
    if (password === undefined) throw new Error(`${keyOf(source)} was never read`);
    return password;
  }

  /** Undefined when there is no password to log in with. */
  credentials({ username, password }: Login): Credentials | undefined {
    return password === undefined ? undefined : { username, password: this.get(password) };
  }

  close(): void {
    this.#watch?.close();
  }

  async #begin(): Promise<void> {
    const { clock, fileCheckIntervalMs, environment } = this.#options;
    const files = [...this.#sources.values()].flatMap((source) =>
      source.from === 'file' ? [source.path] : [],
    );
    const watch = await FileWatch.open(files, {
      clock,
      intervalMs: fileCheckIntervalMs,
      changed: () => this.#readAgain(),
    });
    try {
      for (const [key, source] of this.#sources)
        this.#passwords.set(key, await readPassword(source, environment));
    } catch (error) {
      watch.close();
      throw error;
    }
    this.#watch = watch;
  }

  async #readAgain(): Promise<void> {
    const before = [...this.#passwords.values()].join('\0');
    for (const [key, source] of this.#sources) {
      try {
        this.#passwords.set(key, await readPassword(source, this.#options.environment));
        this.#failing.delete(key);
      } catch (error) {
        this.#warn(key, error);
      }
    }
    if ([...this.#passwords.values()].join('\0') !== before) this.#options.changed?.();
  }

  /** Once until it can be read again. */
  #warn(key: string, error: unknown): void {
    if (this.#failing.has(key)) return;
    this.#failing.add(key);
    this.#options.log.warn('a password cannot be read any more, the last one stays in use', { error });
  }
}

/** Every password that a configuration names. */
export function secretsOf(config: AmbassadorConfig): SecretFrom[] {
  const upstreams = [config.upstream, ...config.routes.map((route) => route.upstream)];
  const logins = [
    config.login,
    ...config.routes.map((route) => route.login),
    ...upstreams.flatMap((upstream) => (upstream.kind === 'sentinel' ? [upstream.sentinelLogin] : [])),
  ];
  return [
    ...logins.flatMap(({ password }) => (password === undefined ? [] : [password])),
    ...config.users.map(({ password }) => password),
  ];
}

function keyOf(source: SecretFrom): string {
  return source.from === 'file' ? `file ${source.path}` : `environment variable ${source.name}`;
}
