/** Where two transcripts part. */

import { without } from './allowed.ts';
import type { Program } from './program.ts';
import type { Entry } from './run.ts';

export interface Difference {
  readonly program: string;
  readonly line: string;
  readonly want: string;
  readonly got: string;
}

const arrow = ' → ';

/** The first line of each program on which two sides disagree. */
export function differences(
  programs: readonly Program[],
  want: readonly Entry[][],
  got: readonly Entry[][],
): Difference[] {
  return programs.flatMap(({ name }, i) => {
    const wanted = transcript(want[i] ?? []);
    const seen = transcript(got[i] ?? []);
    const at = wanted.findIndex((line, n) => line !== seen[n]);
    if (at < 0 && wanted.length === seen.length) return [];
    return [difference(name, wanted[at] ?? '(nothing)', seen[at] ?? '(nothing)')];
  });
}

function difference(program: string, wanted: string, seen: string): Difference {
  const [line = '', want = ''] = wanted.split(arrow);
  return { program, line, want, got: seen.split(arrow).at(-1) ?? '' };
}

/** A line for each line, with what is allowed to differ taken out. */
function transcript(entries: readonly Entry[]): string[] {
  return entries.map(({ line, replies }) => {
    const seen = replies.map((reply) => without(line.allowed, reply));
    return `${line.text}${arrow}${JSON.stringify(seen)}`;
  });
}
