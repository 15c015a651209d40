/** Paths that are no objects: probes, metrics, version; discovery and OpenAPI add theirs. */

import type { Metrics } from '@outrigger/core/metrics';
import type { Answer, ApiRequest } from './http.ts';
import { json, text } from './respond.ts';

export type Page = (request: ApiRequest) => Answer | Promise<Answer>;

export interface Pages {
  get(path: string): Page | undefined;
}

/** Undefined while well, otherwise what is wrong. */
export type Check = () => string | undefined;

export interface PageOptions {
  readonly metrics: Metrics;
  /** Restarting would help against these. */
  readonly live: Readonly<Record<string, Check>>;
  /** Requests should go elsewhere while these fail. */
  readonly ready: Readonly<Record<string, Check>>;
  readonly version: object;
}

export function standardPages(options: PageOptions): Map<string, Page> {
  const { metrics, live, ready, version } = options;
  return new Map<string, Page>([
    ['/healthz', (request) => probe(request, 'healthz', live)],
    ['/livez', (request) => probe(request, 'livez', live)],
    ['/readyz', (request) => probe(request, 'readyz', { ...live, ...ready })],
    ['/metrics', async ({ headers, query }) => ({ status: 200, ...(await metrics.answer(headers, query)) })],
    ['/version', () => json(200, version)],
  ]);
}

/** One table of all pages; `/` lists them. */
export function allPages(...tables: readonly ReadonlyMap<string, Page>[]): Pages {
  const all = new Map(tables.flatMap((table) => [...table]));
  all.set('/', () => json(200, { paths: [...all.keys()].filter((path) => path !== '/').toSorted() }));
  return all;
}

function probe(request: ApiRequest, name: string, checks: Readonly<Record<string, Check>>): Answer {
  const results = Object.entries(checks).map(([check, run]) => ({ check, problem: run() }));
  const failed = results.some(({ problem }) => problem !== undefined);
  if (!failed && !request.query.has('verbose')) return text(200, 'ok');
  const lines = results.map(({ check, problem }) =>
    problem === undefined ? `[+]${check} ok` : `[-]${check} failed: ${problem}`,
  );
  const end = `${name} check ${failed ? 'failed' : 'passed'}`;
  return text(failed ? 500 : 200, `${[...lines, end].join('\n')}\n`);
}
