/** What `/version` says: the Kubernetes release whose API this service follows, and its own version. */

import { arch, platform } from 'node:os';
import { version } from '@outrigger/core/lifecycle';

/** kubectl warns when its own minor version is further away than one. */
const minor = '35';

export const versionInfo = Object.freeze({
  major: '1',
  minor,
  emulationMajor: '1',
  emulationMinor: minor,
  minCompatibilityMajor: '1',
  minCompatibilityMinor: minor,
  gitVersion: `v1.${minor}.0+outrigger-${version}`,
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: 'node',
  platform: `${platform()}/${arch()}`,
});
