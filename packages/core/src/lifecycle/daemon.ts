/** What a daemon needs from outside and what it gives back. */

import type { Clock, Random } from '../clock/index.ts';
import type { Logger } from '../log/index.ts';
import type { Metrics } from '../metrics/index.ts';
import type { Net } from '../net/index.ts';

/** Everything a daemon may touch outside itself. There is no module-level state anywhere. */
export interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly net: Net;
  /** What `{env: NAME}` in a configuration may name; only the command reads the process' own. Absent: nothing. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /**
   * Asks whoever started the daemon to read its configuration again and hand it to `reload`; rejects with what is wrong
   * with it. Absent: it is read when it changes, or not at all.
   */
  readonly reload?: () => Promise<void>;
}

export interface Daemon {
  /** Listener name → bound address (`admin`, `api`, `default/web:http`), as printed in the ready line. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Applies a new configuration without failing a connection; rejects (and changes nothing) when it is invalid. */
  reload(config: unknown): Promise<void>;
  /** Told when a new configuration was refused before it came to `reload`: it could not be read, or is none. */
  refused?(): void;
  /** Stops accepting, lets what is under way finish; resolves when nothing is left or the drain timeout has passed. */
  drain(): Promise<void>;
  /** Ends everything now. Safe after `drain`, and twice. */
  close(): Promise<void>;
}

/** Resolves once listening *and* first synced (or restored from a snapshot). */
export type StartDaemon<Config> = (config: Config, deps: Deps) => Promise<Daemon>;

export interface Health {
  readonly healthy: boolean;
  /** Name → why it is not well; empty when healthy. */
  readonly problems: Readonly<Record<string, string>>;
}
