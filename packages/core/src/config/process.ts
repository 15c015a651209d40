/** The fields every daemon's process has, whatever it does. */

import { string } from '../api/build.ts';
import { isLogLevel, logLevels } from '../log/index.ts';
import type { Check } from './load.ts';

export const processFields = {
  config: string('where the configuration document is: a file, or configmap:NAMESPACE/NAME/KEY'),
  stateDir: string(
    'directory for the last good state, so that a restart without the control service serves on',
  ),
  drainTimeout: string('longest wait for work under way after SIGTERM', {
    format: 'duration',
    default: '25s',
  }),
  logLevel: string('least severe level that is logged', { enum: logLevels, default: 'info' }),
  logFormat: string('form of log lines on stderr: JSON, or text (the default on a terminal)', {
    enum: ['json', 'text'],
  }),
};

export const processChecks: Record<string, Check> = {
  logLevel: (value) => (isLogLevel(String(value)) ? undefined : `one of ${logLevels.join(', ')}`),
};
