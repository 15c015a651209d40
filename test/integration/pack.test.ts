/**
 * What is published works where nothing else is: every package is packed as npm would publish it, unpacked into an
 * empty project with nothing but its declared dependencies beside it, and the `outrigger` command runs there.
 */

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'tap';
import { findInPath, root } from '../../scripts/setup/paths.mjs';
import { tempDir } from '../harness/index.ts';
import { packages, rootManifest } from '../rules/tree.ts';
import type { Package } from '../rules/tree.ts';

const run = promisify(execFile);
const npm = findInPath('npm') === undefined ? { skip: 'npm is not on the PATH' } : {};

test('the published packages run by themselves', npm, async (t) => {
  const folder = tempDir(t);
  const tarballs = await pack(folder);
  t.equal(tarballs.length, packages().length);
  for (const one of packages()) await install(folder, one);

  await t.test('nothing but dist is published', (inner) => {
    for (const { manifest } of packages()) {
      const published = readdirSync(join(folder, 'node_modules', manifest.name)).filter(
        (name) => name !== 'node_modules',
      );
      const extra = published.filter((name) => !/^(dist|package\.json|README\.md|LICENSE)$/.test(name));
      inner.same(extra, [], manifest.name);
      inner.ok(published.includes('dist'), `${manifest.name} has a dist`);
      const notes = readdirSync(join(folder, 'node_modules', manifest.name, 'dist')).filter((name) =>
        name.startsWith('.'),
      );
      inner.same(notes, [], `${manifest.name} publishes no notes of the compiler`);
    }
    inner.end();
  });

  await t.test('every published name can be imported', async (inner) => {
    const names = packages().flatMap(({ manifest }) =>
      Object.keys(manifest.exports ?? {}).map((subpath) => `${manifest.name}${subpath.slice(1)}`),
    );
    const script = names.map((name) => `await import(${JSON.stringify(name)});`).join('\n');
    const { stderr } = await runNode(folder, ['--input-type=module', '-e', script]);
    inner.equal(stderr, '');
  });

  await t.test('the command runs', async (inner) => {
    const manifest = JSON.parse(
      readFileSync(join(folder, 'node_modules/outrigger/package.json'), 'utf8'),
    ) as Package['manifest'];
    const command = join(folder, 'node_modules/outrigger', manifest.bin?.['outrigger'] ?? 'no bin');
    inner.match(readFileSync(command, 'utf8'), /^#!\/usr\/bin\/env node\n/, 'it can be started by its name');
    const help = await runNode(folder, [command, '--help']);
    inner.match(help.stdout, /proxy[\s\S]*ambassador/);
    const version = await runNode(folder, [command, '--version']);
    inner.match(version.stdout, rootManifest().version);
  });
});

async function pack(folder: string): Promise<string[]> {
  const args = ['pack', '--workspaces', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder];
  await run('npm', args, { cwd: root });
  return readdirSync(folder).filter((name) => name.endsWith('.tgz'));
}

/** No registry is asked: declared dependencies are linked to where this repository has them. */
async function install(folder: string, { folder: name, manifest }: Package): Promise<void> {
  const into = join(folder, 'node_modules', manifest.name);
  mkdirSync(into, { recursive: true });
  const tarball = `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`;
  await run('tar', ['-xzf', join(folder, tarball), '-C', into, '--strip-components=1']);
  for (const dependency of Object.keys(manifest.dependencies ?? {})) {
    if (packages().some((own) => own.manifest.name === dependency)) continue;
    const link = join(into, 'node_modules', dependency);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(installedAt(name, dependency), link);
  }
}

function installedAt(name: string, dependency: string): string {
  const places = createRequire(join(root, 'packages', name, 'package.json')).resolve.paths(dependency) ?? [];
  const found = places.map((place) => join(place, dependency)).find((path) => existsSync(path));
  if (found === undefined)
    throw new Error(`${dependency} of packages/${name} is not installed: run npm install`);
  return found;
}

/** As a user's Node: without the source condition this test itself runs under. */
function runNode(folder: string, args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  return run(process.execPath, args, { cwd: folder, env: { PATH: process.env['PATH'] } });
}
