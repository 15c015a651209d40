/** When the installed packages are those of the lockfile. */

import { test } from 'tap';
import { isInstalled } from '../../scripts/setup/packages.mjs';

const wanted = {
  '': { version: '0.1.0' },
  'packages/core': { version: '0.1.0' },
  'node_modules/@outrigger/core': { link: true },
  'node_modules/tap': { version: '21.0.0', integrity: 'sha512-a' },
  'node_modules/other-platform': { version: '1.0.0', integrity: 'sha512-b', optional: true },
};
const { '': _root, 'packages/core': _core, 'node_modules/other-platform': _other, ...installed } = wanted;

test('the same packages, but for those of other platforms', (t) => {
  t.ok(isInstalled(wanted, installed));
  t.end();
});

test('a package missing, of another version, with other content, or copied instead of linked', (t) => {
  const { 'node_modules/tap': tap, ...withoutTap } = installed;
  t.notOk(isInstalled(wanted, withoutTap));
  t.notOk(isInstalled(wanted, { ...installed, 'node_modules/tap': { ...tap, version: '20.0.0' } }));
  t.notOk(isInstalled(wanted, { ...installed, 'node_modules/tap': { ...tap, integrity: 'sha512-x' } }));
  t.notOk(isInstalled(wanted, { ...installed, 'node_modules/@outrigger/core': { version: '0.1.0' } }));
  t.end();
});
