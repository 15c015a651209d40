/** The version of this package, which is that of all of them: told in presence, user agents and `--version`. */

import manifest from '../../package.json' with { type: 'json' };

export const version: string = manifest.version;
