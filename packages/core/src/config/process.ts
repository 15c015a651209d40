/** The fields every daemon's process has, whatever it does. */

import { string } from '../api/build.ts';
import { daemonFields } from '../api/kinds/daemon.ts';

const { stateDir, drainTimeout, logLevel, logFormat } = daemonFields;

/** Flags of the command itself; a daemon's own schema may describe them anew. */
export const processFields = {
  config: string('where the configuration document is: a file, or configmap:NAMESPACE/NAME/KEY'),
  stateDir,
  drainTimeout,
  logLevel,
  logFormat,
};
