/** What a rule found, told as `file:line: what is wrong. What to do.` */

import type { SourceFile } from './tree.ts';

export interface Problem {
  readonly path: string;
  /** 1 is the first. */
  readonly line: number;
  /** What is wrong and what to do, as sentences. */
  readonly what: string;
}

interface Asserts {
  pass(message: string): unknown;
  fail(message: string, extra: object): unknown;
}

/** One failed assertion a problem, and no stack: the place that matters is in the message. */
export function report(t: Asserts, rule: string, problems: readonly Problem[]): void {
  for (const { path, line, what } of problems) t.fail(`${path}:${line}: ${what}`, { at: null, stack: '' });
  if (problems.length === 0) t.pass(rule);
}

/** A problem for each line the pattern matches. */
export function linesMatching(file: SourceFile, pattern: RegExp, what: string): Problem[] {
  return file.lines.flatMap((line, index) =>
    pattern.test(line) ? [{ path: file.path, line: index + 1, what }] : [],
  );
}
