/** From single results to a state: so many in a row before it changes. */

import type { ProbePurpose } from './spec.ts';

export interface ProbeResult {
  readonly ok: boolean;
  /** Why, in kubelet's words. */
  readonly message: string;
}

export interface ProbeState {
  /** Undefined for a startup probe that has not come to a result. */
  readonly ok: boolean | undefined;
  /** Of the result that made the state. */
  readonly message: string;
}

const initialOk: Readonly<Record<ProbePurpose, boolean | undefined>> = {
  readiness: false,
  liveness: true,
  startup: undefined,
};

export class Threshold {
  readonly #successes: number;
  readonly #failures: number;
  #state: ProbeState;
  #last: boolean | undefined;
  #run = 0;

  constructor(
    purpose: ProbePurpose,
    limits: { readonly successThreshold: number; readonly failureThreshold: number },
  ) {
    this.#successes = limits.successThreshold;
    this.#failures = limits.failureThreshold;
    this.#state = { ok: initialOk[purpose], message: 'not probed yet' };
  }

  get state(): ProbeState {
    return this.#state;
  }

  /** The new state if this result changed it. */
  record(result: ProbeResult): ProbeState | undefined {
    this.#run = result.ok === this.#last ? this.#run + 1 : 1;
    this.#last = result.ok;
    const needed = result.ok ? this.#successes : this.#failures;
    if (this.#run < needed || this.#state.ok === result.ok) return undefined;
    this.#state = { ok: result.ok, message: result.message };
    return this.#state;
  }
}
