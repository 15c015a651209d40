/**
 * Everything of one configuration that decides who may do what, and how we log in: passwords, users, command rules, our
 * own certificate for servers. It is opened as a whole, so that a reload either has all of it or changes nothing.
 */

import type { Clock } from '@outrigger/core/clock';
import type { Logger } from '@outrigger/core/log';
import type { AmbassadorConfig, Login } from '../daemon/config.ts';
import type { AuthCheck } from '../locals/answer.ts';
import type { Credentials, Environment } from '../upstream/credentials.ts';
import { ServerTlsFiles } from '../upstream/server-tls.ts';
import type { DialTls } from '../upstream/server-tls.ts';
import { authCheck, authMode } from './auth.ts';
import { CommandRules } from './rules.ts';
import { Secrets, secretsOf } from './secrets.ts';
import { Users } from './users.ts';

export interface AccessDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly environment?: Environment;
  /** Whether there is a command of this name, upper case; the log tells of others. */
  readonly isCommand: (name: string) => boolean;
  /** A password in a file is another now: new connections log in with it. */
  readonly secretChanged?: () => void;
}

export class Access {
  readonly auth: AuthCheck;
  readonly rules: CommandRules;
  readonly #secrets: Secrets;
  readonly #serverTls: ServerTlsFiles | undefined;

  /** Throws AMBASSADOR_NO_PASSWORD, AMBASSADOR_TLS_FILES. */
  static async open(config: AmbassadorConfig, deps: AccessDeps): Promise<Access> {
    const { clock, log, environment = {}, secretChanged } = deps;
    const { fileCheckIntervalMs } = config.limits;
    const secrets = await Secrets.open(secretsOf(config), {
      clock,
      log,
      environment,
      fileCheckIntervalMs,
      ...(secretChanged === undefined ? {} : { changed: secretChanged }),
    });
    try {
      const tls = config.serverTls;
      const files =
        tls === undefined ? undefined : await ServerTlsFiles.open(tls, { clock, log, fileCheckIntervalMs });
      const access = new Access(config, secrets, files);
      access.#warn(deps);
      return access;
    } catch (error) {
      secrets.close();
      throw error;
    }
  }

  private constructor(config: AmbassadorConfig, secrets: Secrets, serverTls: ServerTlsFiles | undefined) {
    this.#secrets = secrets;
    this.#serverTls = serverTls;
    this.rules = new CommandRules(config.commands, config.users);
    const users = new Users(config.users, secrets);
    this.auth = authCheck(authMode(config), users, () => secrets.credentials(config.login));
  }

  /** What to log in with now: of `config.login`, a route's, or the Sentinels'. */
  credentials(login: Login): Credentials | undefined {
    return this.#secrets.credentials(login);
  }

  /** What a new connection to a server with TLS uses. */
  dialTls(): DialTls | undefined {
    return this.#serverTls?.current;
  }

  close(): void {
    this.#secrets.close();
    this.#serverTls?.close();
  }

  #warn({ isCommand, log }: AccessDeps): void {
    const commands = this.rules.unknownNames(isCommand);
    if (commands.length > 0)
      log.warn('rules name commands that are not known: written wrong, or of a module', { commands });
  }
}
