/** How many requests are worked on at a time; more are told to come back, so that a flood cannot pile up in memory. */

import { ApiError } from '@outrigger/core/api';
import type { Route } from './route.ts';

export interface InFlightLimits {
  /** Reads at a time; watches do not count. Default 400. */
  readonly maxReads: number;
  /** Writes at a time. Default 200. */
  readonly maxWrites: number;
}

const readVerbs: ReadonlySet<string> = new Set(['get', 'list', 'watch', 'head', 'options']);

export class InFlight {
  readonly #limits: InFlightLimits;
  readonly #onRefused: (kind: 'read' | 'write') => void;
  #reads = 0;
  #writes = 0;

  constructor(limits: InFlightLimits, onRefused: (kind: 'read' | 'write') => void) {
    this.#limits = limits;
    this.#onRefused = onRefused;
  }

  get reads(): number {
    return this.#reads;
  }

  get writes(): number {
    return this.#writes;
  }

  /** Throws 429. Probes and metrics always get through: they say why the others do not. */
  async run<T>(route: Route, work: () => Promise<T>): Promise<T> {
    if (route.type === 'path') return work();
    return readVerbs.has(route.verb) ? this.#read(work) : this.#write(work);
  }

  async #read<T>(work: () => Promise<T>): Promise<T> {
    if (this.#reads >= this.#limits.maxReads) throw this.#refused('read');
    this.#reads++;
    try {
      return await work();
    } finally {
      this.#reads--;
    }
  }

  async #write<T>(work: () => Promise<T>): Promise<T> {
    if (this.#writes >= this.#limits.maxWrites) throw this.#refused('write');
    this.#writes++;
    try {
      return await work();
    } finally {
      this.#writes--;
    }
  }

  #refused(kind: 'read' | 'write'): ApiError {
    this.#onRefused(kind);
    return ApiError.tooManyRequests(`too many ${kind}s at a time, please try again later`, 1);
  }
}
