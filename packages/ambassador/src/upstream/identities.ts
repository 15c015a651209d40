/**
 * Who may have connections at one server: what it has refused lately, and how many strangers may knock at a time. A
 * client that tries passwords or databases must not cost the server a connection for each, nor others theirs.
 */

import type { Identity } from '../session/state.ts';
import type { Line } from './line.ts';

export interface IdentityLimits {
  readonly refusalMs: number;
  readonly maxRefusals: number;
  readonly maxStrangers: number;
}

interface Refused {
  readonly line: Line;
  readonly untilMs: number;
}

export class Identities {
  readonly #limits: IdentityLimits;
  readonly #now: () => number;
  readonly #refused = new Map<string, Refused>();
  /** Being opened for those who have not been let in before. */
  readonly #knocking = new Map<Line, string>();
  readonly #known = new Set<string>();

  constructor(limits: IdentityLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** The connection that was refused to them a moment ago, so that none is opened for the same answer. */
  refused(key: string): Line | undefined {
    const refused = this.#refused.get(key);
    if (refused === undefined || this.#now() < refused.untilMs) return refused?.line;
    this.#refused.delete(key);
    return undefined;
  }

  /** Whether a connection may be opened for them now. */
  mayKnock(key: string): boolean {
    if (this.#known.has(key)) return true;
    for (const [line, whose] of this.#knocking) {
      if (line.state === 'opening') continue;
      this.#knocking.delete(line);
      if (line.state === 'open') this.#letIn(whose);
    }
    return this.#knocking.size < this.#limits.maxStrangers;
  }

  opening(key: string, line: Line): void {
    if (!this.#known.has(key)) this.#knocking.set(line, key);
  }

  turnedAway(key: string, line: Line): void {
    this.#known.delete(key);
    this.#refused.set(key, { line, untilMs: this.#now() + this.#limits.refusalMs });
    const [oldest] = this.#refused.keys();
    if (this.#refused.size > this.#limits.maxRefusals && oldest !== undefined) this.#refused.delete(oldest);
  }

  #letIn(key: string): void {
    this.#refused.delete(key);
    if (this.#known.size >= this.#limits.maxRefusals) this.#known.clear();
    this.#known.add(key);
  }
}

/**
 * Different for whatever differs, a name without a password and spaces in either of them included. Passwords stay in
 * memory only: keys are never shown. Hot where there are none.
 */
export function keyOf({ protocol, database, user, password }: Identity): string {
  const connection = `${protocol} ${database}`;
  return password === undefined ? connection : `${connection} ${JSON.stringify([user, password])}`;
}
