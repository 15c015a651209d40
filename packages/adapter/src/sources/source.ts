/**
 * The joint of everything the adapter asks: a source is asked when the page is (never on a timer of its own), answers
 * with whole families, and fails alone.
 */

import type { MetricFamily } from '@outrigger/core/exposition';

/** Classes of failure, few enough to be a label. */
export const failureClasses = [
  'refused',
  'unreachable',
  'dns',
  'timeout',
  'tls',
  'auth',
  'status',
  'redirect',
  'too-large',
  'parse',
  'no-endpoint',
  'internal',
] as const;
export type FailureClass = (typeof failureClasses)[number];

export interface SourceErrorOptions extends ErrorOptions {
  readonly families?: readonly MetricFamily[];
}

/** A source could not answer: what happened, to what, what to do. */
export class SourceError extends Error {
  readonly class: FailureClass;
  /** Shown although it failed: `redis_up 0`, which the dashboards of the exporters' users wait for. */
  readonly families: readonly MetricFamily[];

  constructor(failure: FailureClass, message: string, options: SourceErrorOptions = {}) {
    super(message, options);
    this.name = 'SourceError';
    this.class = failure;
    this.families = options.families ?? [];
  }
}

export interface Asked {
  /** Aborted when the answer would come too late for the scrape. */
  readonly signal: AbortSignal;
  /** What is left until then, in ms, when the source is asked. */
  readonly leftMs: number;
}

/** What was answered, and what of it could not be used. */
export interface Answer {
  readonly families: readonly MetricFamily[];
  /** Parts not taken, by reason (few enough to be a label) and how many. */
  readonly dropped?: Readonly<Record<string, number>>;
}

export interface Source {
  /** Throws SourceError; any other error counts as `internal`. Several calls may be under way at once. */
  collect(asked: Asked): Promise<Answer>;
  /** Ends connections and timers. */
  close(): void | Promise<void>;
}

/** One address a source is asked at, with what the watch knows of the endpoint behind it. */
export interface Place {
  /** As configured, `HOST:PORT` or a URL; of a Service with the endpoint where the Service was named. */
  readonly address: string;
  /** `pod`, `node`, `namespace` where a Service named it; else empty. */
  readonly labels: Readonly<Record<string, string>>;
}
