/** Settings that every daemon's configuration document has: each field is the flag of the same name in camelCase. */

import type { Infer } from '../build.ts';
import { object, string } from '../build.ts';

export const daemonFields = {
  admin: string('Address of probes, /metrics and /debug'),
  stateDir: string('Directory of the snapshot that a restart begins from'),
  drainTimeout: string('How long open connections may finish after SIGTERM', {
    format: 'duration',
    default: '25s',
  }),
  logLevel: string('Least severe log lines to write', {
    enum: ['debug', 'info', 'warn', 'error'],
    default: 'info',
  }),
  logFormat: string('Form of the log lines; text on a terminal, else json, if absent', {
    enum: ['json', 'text'],
  }),
};

/** Where a password is read from. Passwords are never written into an object. */
export const secretSource = object(
  {
    file: string('Path of a file; a line break at its end is dropped'),
    env: string('Name of an environment variable'),
    secret: string('NAME/KEY of a Secret in the namespace of the object'),
  },
  { description: 'Where the password is read from: exactly one of the three' },
);
export type SecretSource = Infer<typeof secretSource>;
