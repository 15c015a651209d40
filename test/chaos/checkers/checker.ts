/** A promise that is watched while faults happen. */

import type { World } from '../world.ts';

export interface Checker {
  readonly promise: string;
  /** Works until `signal` aborts; throws Broken as soon as the promise is. */
  run(world: World, signal: AbortSignal): Promise<void>;
  /** What was seen, for the report. */
  summary(): string;
}

export class Broken extends Error {
  constructor(promise: string, what: string) {
    super(`BROKEN: ${promise}: ${what}`);
    this.name = 'Broken';
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
