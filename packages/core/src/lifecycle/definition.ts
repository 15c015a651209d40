/** What a daemon package exports: everything the command line, `up` and tests need to run it. */

import type { ObjectSchema } from '../api/schema.ts';
import type { Check } from '../config/index.ts';
import type { StartDaemon } from './daemon.ts';

export type Role = 'control' | 'proxy' | 'ambassador' | 'adapter';

export interface DaemonDefinition<Config> {
  readonly role: Role;
  /** One line for `--help`. */
  readonly summary: string;
  /** Every field that is a string, number, boolean or list of strings is a flag as well. */
  readonly schema: ObjectSchema;
  readonly checks: Readonly<Record<string, Check>>;
  /** Turns checked values (strings, as written) into the typed, frozen configuration. Throws InvalidConfig. */
  readonly parse: (values: Readonly<Record<string, unknown>>) => Config;
  readonly start: StartDaemon<Config>;
}
