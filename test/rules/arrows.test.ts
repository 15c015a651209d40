/** Who may import whom: cli → control, proxy, ambassador, adapter → core, by public names alone. */

import { dirname, join } from 'node:path';
import { test } from 'tap';
import { importsOf, packageOf } from './imports.ts';
import type { Import } from './imports.ts';
import { report } from './problems.ts';
import type { Problem } from './problems.ts';
import { code, packages, packageSources } from './tree.ts';
import type { SourceFile } from './tree.ts';

const DAEMONS = ['control', 'proxy', 'ambassador', 'adapter'];
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  ...Object.fromEntries(DAEMONS.map((daemon) => [daemon, ['core']])),
  cli: ['core', ...DAEMONS],
};
const OWN_PACKAGES = new Map(packages().map(({ folder, manifest }) => [manifest.name, folder]));

test('packages import along the arrows', (t) => {
  const problems = code().flatMap((file) => {
    const from = /^packages\/([^/]+)\//.exec(file.path)?.[1];
    return from === undefined ? [] : importsOf(file).flatMap((one) => wrongArrow(file, from, one));
  });
  report(t, 'arrows', problems);
  t.end();
});

function wrongArrow(file: SourceFile, from: string, { specifier, line }: Import): Problem[] {
  const to = OWN_PACKAGES.get(packageOf(specifier) ?? '');
  // A package's tests may use its own public names.
  const allowed = [...(MAY_IMPORT[from] ?? []), ...(isTest(file) ? [from] : [])];
  if (to === undefined || allowed.includes(to)) return [];
  const what = `packages/${from} must not import ${specifier}. Move what both need to core, or pass it in.`;
  return [{ path: file.path, line, what }];
}

test('relative imports stay inside their package', (t) => {
  const problems = code().flatMap((file) => {
    const home = /^packages\/[^/]+\//.exec(file.path)?.[0];
    if (home === undefined) return [];
    // Tests may use the harness and the data all packages share.
    const allowed = isTest(file) ? [home, 'test/'] : [`${home}src/`];
    return importsOf(file).flatMap(({ specifier, line }) => {
      if (!specifier.startsWith('.')) return [];
      const target = join(dirname(file.path), specifier);
      if (allowed.some((folder) => target.startsWith(folder)) || target === `${home}package.json`) return [];
      return [
        { path: file.path, line, what: `${specifier} leaves the package. Import it by its package name.` },
      ];
    });
  });
  report(t, 'relative imports', problems);
  t.end();
});

test('core is imported by the subpaths it publishes, its test kit by tests alone', (t) => {
  const core = packages().find(({ folder }) => folder === 'core');
  const published = Object.keys(core?.manifest.exports ?? {}).map(
    (subpath) => `@outrigger/core${subpath.slice(1)}`,
  );
  const problems = code().flatMap((file) =>
    importsOf(file).flatMap(({ specifier, line }) => {
      if (packageOf(specifier) !== '@outrigger/core') return [];
      if (!published.includes(specifier)) {
        return [
          {
            path: file.path,
            line,
            what: `${specifier} is not published. Use one of: ${published.join(', ')}.`,
          },
        ];
      }
      if (specifier === '@outrigger/core/testing' && /^packages\/[^/]+\/src\//.test(file.path)) {
        return [
          { path: file.path, line, what: 'the test kit is for tests. Take what you need as a parameter.' },
        ];
      }
      return [];
    }),
  );
  report(t, 'subpaths', problems);
  t.end();
});

test('public names are listed one by one', (t) => {
  const problems = packageSources().flatMap((file) =>
    file.lines.flatMap((text, index) =>
      /^\s*export \*/.test(text)
        ? [{ path: file.path, line: index + 1, what: '`export *` hides what is public. List the names.' }]
        : [],
    ),
  );
  report(t, 'public names', problems);
  t.end();
});

function isTest(file: SourceFile): boolean {
  return /^packages\/[^/]+\/test\//.test(file.path);
}
