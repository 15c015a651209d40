/** Declared dependencies are exactly the imported ones, at one exact version, each with its reason in docs/dependencies.md. */

import { test } from 'tap';
import { importsOf, packageOf } from './imports.ts';
import { linesMatching, report } from './problems.ts';
import type { Problem } from './problems.ts';
import { code, files, packages, packageSources, rootManifest } from './tree.ts';
import type { Package } from './tree.ts';

/** `npm:NAME@1.2.3` is an exact version under another name. */
const EXACT = /^(npm:@?[^@]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/;

const METRIC_CLASSES =
  'its metric classes register themselves for the whole process. Use the cells of core/metrics.';

test('every import of a package is declared, every declared dependency imported', (t) => {
  report(t, 'dependencies', [...packages().flatMap(undeclared), ...packages().flatMap(unused)]);
  t.end();
});

function undeclared({ folder, manifest }: Package): Problem[] {
  return sourcesOf(folder).flatMap((file) =>
    importsOf(file).flatMap(({ specifier, line }) => {
      const name = packageOf(specifier);
      if (name === undefined || name === manifest.name || manifest.dependencies?.[name] !== undefined)
        return [];
      const what = `${name} is not declared. Add it to dependencies in packages/${folder}/package.json.`;
      return [{ path: file.path, line, what }];
    }),
  );
}

function unused({ folder, manifest }: Package): Problem[] {
  const used = new Set(
    sourcesOf(folder).flatMap((file) => importsOf(file).map(({ specifier }) => packageOf(specifier))),
  );
  return Object.keys(manifest.dependencies ?? {})
    .filter((name) => !used.has(name))
    .map((name) => ({
      path: `packages/${folder}/package.json`,
      line: lineOf(folder, name),
      what: `${name} is declared but no source imports it. Remove it.`,
    }));
}

test('what is not published imports only what the root declares', (t) => {
  const { devDependencies } = rootManifest();
  const own = packages().map(({ manifest }) => manifest.name);
  const shared = packages().flatMap(({ manifest }) => Object.keys(manifest.dependencies ?? {}));
  const problems = code()
    .filter(({ path }) => !/^packages\/[^/]+\/src\//.test(path))
    .flatMap((file) =>
      importsOf(file).flatMap(({ specifier, line }) => {
        const name = packageOf(specifier);
        if (name === undefined || own.includes(name) || devDependencies?.[name] !== undefined) return [];
        if (shared.includes(name)) return [];
        return [
          { path: file.path, line, what: `${name} is not declared. Add it to the root's devDependencies.` },
        ];
      }),
    );
  report(t, 'development dependencies', problems);
  t.end();
});

test('versions are exact', (t) => {
  const problems = packages().flatMap(({ folder, manifest }) =>
    Object.entries(manifest.dependencies ?? {})
      .filter(([, version]) => !EXACT.test(version))
      .map(([name, version]) => ({
        path: `packages/${folder}/package.json`,
        line: lineOf(folder, name),
        what: `${name} is declared as ${version}. Name one exact version.`,
      })),
  );
  report(t, 'exact versions', problems);
  t.end();
});

test('every runtime dependency has its row in docs/dependencies.md, and every row its dependency', (t) => {
  const path = 'docs/dependencies.md';
  const [document] = files(path);
  const rows = (document?.lines ?? []).flatMap((text, index) => {
    const name = /^\| `([^`]+)` \|/.exec(text)?.[1];
    return name === undefined ? [] : [{ name, line: index + 1, cells: text.split('|').length - 2 }];
  });
  const declared = new Map(
    packages().flatMap(({ folder, manifest }) =>
      Object.keys(manifest.dependencies ?? {})
        .filter((name) => !packages().some((own) => own.manifest.name === name))
        .map((name) => [name, folder]),
    ),
  );
  const problems: Problem[] = [
    ...[...declared]
      .filter(([name]) => !rows.some((row) => row.name === name))
      .map(([name, folder]) => ({
        path: `packages/${folder}/package.json`,
        line: lineOf(folder, name),
        what: `${name} has no row in ${path}. Say why it is used, what else there is, and how it is kept.`,
      })),
    ...rows
      .filter(({ name }) => !declared.has(name))
      .map(({ name, line }) => ({
        path,
        line,
        what: `no package depends on ${name} any more. Remove its row.`,
      })),
    ...rows
      .filter(({ cells }) => cells < 4)
      .map(({ name, line }) => ({
        path,
        line,
        what: `the row of ${name} lacks a cell. Fill in all of them.`,
      })),
  ];
  report(t, 'dependency rows', problems);
  t.end();
});

test("prom-client's default registry is not used: two daemons in one process would share it", (t) => {
  const what = 'it belongs to the whole process. Use a Registry of the Metrics in Deps.';
  const problems = packageSources()
    .filter((file) => file.text.includes("'prom-client'"))
    .flatMap((file) => [
      ...linesMatching(file, /\{[^}]*\b(register|globalRegistry)\b.*'prom-client'/, what),
      ...linesMatching(file, /\bcollectDefaultMetrics\(\s*\)/, what),
      ...linesMatching(file, /\{[^}]*\b(Counter|Gauge|Histogram|Summary)\b.*'prom-client'/, METRIC_CLASSES),
    ]);
  report(t, 'default registry', problems);
  t.end();
});

function sourcesOf(folder: string) {
  return packageSources().filter(({ path }) => path.startsWith(`packages/${folder}/`));
}

function lineOf(folder: string, name: string): number {
  const [manifest] = files(`packages/${folder}/package.json`);
  return (manifest?.lines.findIndex((text) => text.includes(`"${name}":`)) ?? -1) + 1;
}
