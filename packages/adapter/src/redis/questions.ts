/** Which commands a scrape sends. A command the server refuses is left alone for a while: each refusal is counted by it. */

import { askedConfig } from './answers.ts';

export const questions = {
  config: ['CONFIG', 'GET', ...askedConfig],
  /** Servers before 7 take one at a time. */
  configs: askedConfig.map((directive) => ['CONFIG', 'GET', directive]),
  clusterInfo: ['CLUSTER', 'INFO'],
  latest: ['LATENCY', 'LATEST'],
  histogram: ['LATENCY', 'HISTOGRAM'],
  slowLength: ['SLOWLOG', 'LEN'],
  slowest: ['SLOWLOG', 'GET', '1'],
} as const;

/** How long a refused command is not sent again: users and servers change rarely, and `errors_total` shows refusals. */
export const refusalRestMs = 10 * 60_000;

export class Refusals {
  readonly #until = new Map<string, number>();

  isResting(command: readonly string[], now: number): boolean {
    const until = this.#until.get(command.join(' '));
    return until !== undefined && now < until;
  }

  add(command: readonly string[], now: number): void {
    this.#until.set(command.join(' '), now + refusalRestMs);
  }

  resting(now: number): number {
    return [...this.#until.values()].filter((until) => now < until).length;
  }
}

/** What the server can be asked beside INFO, judged by an earlier INFO of it. */
export function optionalQuestions(
  facts: ReadonlyMap<string, string>,
  histograms: boolean,
): (readonly string[])[] {
  // A Sentinel keeps no data and knows none of these.
  if (facts.get('redis_mode') === 'sentinel') return [];
  const major = Number((facts.get('redis_version') ?? '').split('.')[0]);
  return [
    ...(major >= 7 ? [questions.config] : questions.configs),
    ...(facts.get('cluster_enabled') === '1' ? [questions.clusterInfo] : []),
    questions.latest,
    ...(histograms && major >= 7 ? [questions.histogram] : []),
    questions.slowLength,
    questions.slowest,
  ];
}
