/** The repository as its rules see it: its files (not what is built, fetched or ignored) and its packages. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from '../../scripts/setup/paths.mjs';

const NOT_OURS = new Set([
  'node_modules',
  'dist',
  '.git',
  '.tap',
  '.cache',
  'outrigger-data',
  'results',
  'fixtures',
]);

export interface SourceFile {
  /** Relative to the root. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly private?: boolean;
  readonly files?: readonly string[];
  readonly bin?: Readonly<Record<string, string>>;
  readonly engines?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface Package {
  /** The folder's name under packages/. */
  readonly folder: string;
  readonly manifest: Manifest;
}

/** Every file whose name ends in one of `endings`, sorted. */
export function files(...endings: readonly string[]): SourceFile[] {
  return walk(root)
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .map((path) => {
      const text = readFileSync(join(root, path), 'utf8');
      return { path, text, lines: text.split('\n') };
    });
}

/** Everything we write and run: TypeScript and the scripts. */
export function code(): SourceFile[] {
  return files('.ts', '.mjs', '.js');
}

/** `packages/NAME/src`, where the rules for what is published hold. */
export function packageSources(): SourceFile[] {
  return code().filter(({ path }) => /^packages\/[^/]+\/src\//.test(path));
}

export function packages(): Package[] {
  return readdirSync(join(root, 'packages'))
    .filter((folder) => existsSync(join(root, 'packages', folder, 'package.json')))
    .map((folder) => ({ folder, manifest: readJson(`packages/${folder}/package.json`) as Manifest }));
}

export function rootManifest(): Manifest {
  return readJson('package.json') as Manifest;
}

export function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

export function exists(path: string): boolean {
  return existsSync(join(root, path));
}

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !NOT_OURS.has(entry.name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return walk(path);
      return entry.isFile() ? [relative(root, path)] : [];
    })
    .sort();
}
