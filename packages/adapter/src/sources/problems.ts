/** Gathers what is wrong with the parts of a document, each with its path: all of it is told at once. */

import { InvalidConfig } from '@outrigger/core/config';
import type { Problem } from '@outrigger/core/config';
import { describeError, OutriggerError } from '@outrigger/core/errors';

export class Problems {
  readonly #found: Problem[] = [];
  #first: OutriggerError | undefined;

  /** Undefined when it was refused; other errors are mistakes of ours, and thrown. */
  attempt<T>(path: string, make: () => T): T | undefined {
    try {
      return make();
    } catch (error) {
      const problems = problemsOf(path, error);
      const says = error instanceof OutriggerError && (error.target ?? '').startsWith(path);
      if (says && this.#found.length === 0) this.#first = error;
      this.#found.push(...problems);
      return undefined;
    }
  }

  /** Throws InvalidConfig; a single error that says where it is as it was thrown. */
  refuse(): void {
    if (this.#found.length === 1 && this.#first !== undefined) throw this.#first;
    if (this.#found.length > 0) throw new InvalidConfig(this.#found);
  }
}

/** `path`: of what was tried. Throws what is no error of a configuration. */
export function problemsOf(path: string, error: unknown): Problem[] {
  if (error instanceof InvalidConfig)
    return error.problems.map((problem) => ({ ...problem, path: within(path, problem.path) }));
  if (!(error instanceof OutriggerError)) throw error;
  const { message, target = '', hint } = error;
  return [
    {
      path: target.startsWith(path) ? target : path,
      got: message.startsWith(`${target}: `) ? message.slice(target.length + 2) : message,
      want: hint ?? describeError(error),
    },
  ];
}

function within(path: string, inner: string): string {
  return path === '' || inner.startsWith(path) ? inner : `${path}.${inner}`;
}
