/** What every source file keeps to: a purpose, a size, nothing left for later, nothing of one machine. */

import { basename } from 'node:path';
import { test } from 'tap';
import { linesMatching, report } from './problems.ts';
import type { Problem } from './problems.ts';
import { code, files, packageSources } from './tree.ts';

const LONGEST_FILE = 400;
/** Tests are lists: long is not yet tangled. */
const LONGEST_TEST = 800;
/** Paths of files that may be longer, each with its reason. Tables generated from published definitions may be long. */
const MAY_BE_LONGER: readonly string[] = [
  // A line for each command of Redis and Valkey, read from the servers themselves.
  'packages/ambassador/src/commands/table.generated.ts',
];
/** This file spells out what it looks for. */
const here = (path: string): boolean => path === 'test/rules/sources.test.ts';

test('every file opens with a comment that says what it is for', (t) => {
  const problems = code()
    // The names of its tests say what a test file is for.
    .filter(({ path }) => !path.endsWith('.test.ts'))
    .filter(({ text }) => !/^(#!.*\n)?\s*(\/\*|\/\/)/.test(text))
    .map(({ path }) => ({
      path,
      line: 1,
      what: 'no purpose comment. Open with one that says what this file is for.',
    }));
  report(t, 'purpose comments', problems);
  t.end();
});

test(`no file is longer than ${LONGEST_FILE} lines, no test than ${LONGEST_TEST}`, (t) => {
  const problems = code()
    .map(({ path, lines }) => ({
      path,
      length: lines.length - 1,
      most: isTest(path) ? LONGEST_TEST : LONGEST_FILE,
    }))
    .filter(({ path, length, most }) => length > most && !MAY_BE_LONGER.includes(path))
    .map(({ path, length, most }) => ({
      path,
      line: most + 1,
      what: `${length} lines. Split it by concern.`,
    }));
  report(t, 'file length', problems);
  t.end();
});

test('no file is called what says nothing', (t) => {
  const problems = code()
    .filter(({ path }) => /^(utils?|helpers?|misc|common|shared)\.\w+$/.test(basename(path)))
    .map(({ path }) => ({ path, line: 1, what: 'the name says nothing. Name the one noun it is about.' }));
  report(t, 'file names', problems);
  t.end();
});

test('nothing is left for later, switched off or swallowed', (t) => {
  const rules: [RegExp, string][] = [
    [/\b(TODO|FIXME|XXX|HACK)\b/, 'left for later. Do it now or file an issue.'],
    [/\.(only|todo)\(|\b(only|todo): *true/, 'a test alone or put off. Run them all.'],
    [/\bskip: *true/, 'a test skipped without a reason. Say why: skip: "reason".'],
    [
      /(?:@ts-(ignore|nocheck))|oxlint-disable(?!-next-line [\w/-]+)/,
      'a check switched off. Use oxlint-disable-next-line RULE -- why.',
    ],
  ];
  report(t, 'nothing left', [...matching(rules), ...unexplained()]);
  t.end();
});

test('no code is commented out', (t) => {
  const statement =
    /^\s*\/\/\s*((import|export|const|let|return|await|throw)\b.*[;{(]\s*$|(if|for|while|switch) \(.*[{;]\s*$|\}\s*(else.*)?[;)]*$|[\w.]+\(.*\);\s*$)/;
  report(t, 'commented-out code', matching([[statement, 'code in a comment. Remove it: history keeps it.']]));
  t.end();
});

test('modules hold no state: a second daemon in the process would share it', (t) => {
  const rules: [RegExp, string][] = [
    [/^(export )?let\b/, 'a variable of the module. Move it into the object that owns it.'],
    [
      /^(export )?const \w+(: (?!Readonly)[^=]+)? = new (Map|Set|WeakMap|WeakSet)(<.*>)?\(\);?/,
      'a collection of the module. Move it into the object that owns it.',
    ],
    [/\bnew Date\(\)/, 'reads the time. Use wall() of the Clock in Deps.'],
  ];
  const problems = packageSources()
    // The clock reads the time; the entry of a worker thread is a whole program, with one instance by definition.
    .filter(({ path }) => !path.startsWith('packages/core/src/clock/') && !path.endsWith('-worker.ts'))
    .flatMap((file) => rules.flatMap(([pattern, what]) => linesMatching(file, pattern, what)));
  report(t, 'module state', problems);
  t.end();
});

test('nothing is of one machine', (t) => {
  const rules: [RegExp, string][] = [
    [
      /(^|[^.\w$}-])\/(home|root|Users|work|farm)\/\w/,
      'a path of one machine. Derive it, or use a temporary folder.',
    ],
    [
      /registry\.npmjs\.org|registry\.yarnpkg\.com|deb\.debian\.org|archive\.ubuntu\.com/,
      'the address of a package registry. Leave it to the configuration of the machine.',
    ],
  ];
  const texts = files('.ts', '.mjs', '.js', '.json', '.md', '.yaml', '.yml', '.sh', '.npmrc', '.ci/run');
  const problems = texts
    .filter(({ path }) => !here(path))
    .flatMap((file) => rules.flatMap(([pattern, what]) => linesMatching(file, pattern, what)));
  report(t, 'no machine', problems);
  t.end();
});

function matching(rules: readonly [RegExp, string][]): Problem[] {
  return code()
    .filter(({ path }) => !here(path))
    .flatMap((file) => rules.flatMap(([pattern, what]) => linesMatching(file, pattern, what)));
}

/** Errors dropped and checks switched off without a word: no comment in the braces, on the line or above it. */
function unexplained(): Problem[] {
  const rules: [RegExp, string][] = [
    [
      /\bcatch *(\([^)]*\))? *\{ *\}|\.catch\(\(\) => (\{ *\}|undefined|null)\)/,
      'an error swallowed. Handle it, or say in a comment why it may be ignored.',
    ],
    [/oxlint-disable-next-line [\w/-]+$/, 'a check switched off. Add why: RULE -- why.'],
  ];
  return matching(rules).filter(({ path, line }) => {
    const lines = code().find((file) => file.path === path)?.lines ?? [];
    return ![lines[line - 2], lines[line - 1]?.replace(/oxlint-disable.*/, '')].some(hasComment);
  });
}

function hasComment(text: string | undefined): boolean {
  return text !== undefined && /\/\/ |\*\//.test(text.replace('// oxlint', ''));
}

function isTest(path: string): boolean {
  return /^(packages\/[^/]+\/)?test\//.test(path);
}
