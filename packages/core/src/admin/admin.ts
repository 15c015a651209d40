/**
 * One small HTTP server. Probes and `/metrics` answer anyone who can reach the address; `/debug/*`, `/drain` and
 * `/-/reload` answer only loopback peers or a unix socket, because they show or change what the daemon does.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeError, OutriggerError } from '../errors/index.ts';
import type { PageHeaders } from '../exposition/index.ts';
import type { Deps, Health } from '../lifecycle/index.ts';
import { http, isLoopback } from '../net/index.ts';
import type { Address } from '../net/index.ts';

/** Answers with something JSON can hold; never secrets. */
export type DebugPage = (query: URLSearchParams) => unknown;

export interface AdminOptions {
  readonly address: Address;
  /** Not ready (synced and listening) or draining: readyz answers 503. */
  readonly ready: () => Health;
  readonly live: () => Health;
  /** Replaces the plain text answer of `/healthz` and `/livez` where a peer's format is expected. */
  readonly healthBody?: (path: 'healthz' | 'livez') => { status: number; body: unknown };
  /** Path below `/debug/` → page. `/debug` lists them. */
  readonly debug?: Readonly<Record<string, DebugPage>>;
  readonly drain?: () => Promise<void>;
  readonly reload?: () => Promise<void>;
  /** Further pages, open like `/metrics`: path → answer. */
  readonly pages?: Readonly<Record<string, (query: URLSearchParams) => Promise<Answer> | Answer>>;
}

export interface AdminServer {
  /** The bound address as text. */
  readonly name: string;
  close(): void;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

type Route = (query: URLSearchParams, headers: PageHeaders) => Promise<Answer> | Answer;

/** Requests that arrive slower than this are cut (slowloris). */
const requestTimeoutMs = 10_000;

export async function startAdmin(options: AdminOptions, deps: Deps): Promise<AdminServer> {
  const open = openRoutes(options, deps);
  const local = localRoutes(options);
  const server = http.createServer(
    { requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs },
    (request, response) => {
      void serve(request, response, open, local, deps);
    },
  );
  const listener = await deps.net.listen(server, options.address);
  return {
    name: listener.name,
    close: () => {
      listener.close();
      server.closeAllConnections();
    },
  };
}

function openRoutes(options: AdminOptions, deps: Deps): Map<string, Route> {
  const { ready, live, healthBody, pages = {} } = options;
  const health =
    (path: 'healthz' | 'livez', plain: () => Health): Route =>
    () => {
      if (healthBody === undefined) return healthAnswer(plain());
      const { status, body } = healthBody(path);
      return { ...json(body), status };
    };
  return new Map<string, Route>([
    [
      '/metrics',
      async (query, asked) => {
        const { headers, body } = await deps.metrics.answer(asked, query);
        return { status: 200, type: headers['content-type'] ?? '', headers, body };
      },
    ],
    ['/healthz', health('healthz', live)],
    ['/livez', health('livez', live)],
    ['/readyz', () => healthAnswer(ready())],
    ...Object.entries(pages),
  ]);
}

function localRoutes(options: AdminOptions): Map<string, Route> {
  const { debug = {}, drain, reload } = options;
  const routes = new Map<string, Route>([
    ['GET /debug', () => json(Object.keys(debug).map((name) => `/debug/${name}`))],
  ]);
  for (const [name, page] of Object.entries(debug))
    routes.set(`GET /debug/${name}`, async (query) => json(await page(query)));
  if (drain !== undefined) routes.set('POST /drain', async () => (await drain(), text(200, 'drained\n')));
  if (reload !== undefined)
    routes.set('POST /-/reload', async () => (await reload(), text(200, 'reloaded\n')));
  return routes;
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  open: ReadonlyMap<string, Route>,
  local: ReadonlyMap<string, Route>,
  deps: Deps,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://admin');
  const method = request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET');
  let answer: Answer;
  try {
    answer = await route(method, url, request, open, local);
  } catch (error) {
    deps.log.warn('admin request failed', { path: url.pathname, error });
    answer = text(error instanceof OutriggerError ? 422 : 500, `${describeError(error)}\n`);
  }
  response.writeHead(answer.status, {
    'content-type': answer.type,
    'x-content-type-options': 'nosniff',
    ...answer.headers,
  });
  response.end(answer.body);
}

function route(
  method: string,
  url: URL,
  request: IncomingMessage,
  open: ReadonlyMap<string, Route>,
  local: ReadonlyMap<string, Route>,
): Promise<Answer> | Answer {
  const page = open.get(url.pathname);
  if (page !== undefined)
    return method === 'GET' ? page(url.searchParams, request.headers) : text(405, 'use GET\n');
  const guarded = local.get(`${method} ${url.pathname}`);
  if (guarded !== undefined) {
    return isLocal(request)
      ? guarded(url.searchParams, request.headers)
      : text(403, 'only loopback peers and unix sockets may ask this\n');
  }
  const methods = ['GET', 'POST'].filter((other) => local.has(`${other} ${url.pathname}`));
  if (methods.length > 0) return text(405, `use ${methods.join(' or ')}\n`);
  const known = [...open.keys(), ...[...local.keys()].map((key) => key.split(' ')[1] ?? '')];
  return text(404, `no page ${url.pathname}; there are:\n${known.sort().join('\n')}\n`);
}

/** A unix socket has no remote address: its file's permissions decided. */
function isLocal(request: IncomingMessage): boolean {
  const remote = request.socket.remoteAddress;
  return remote === undefined || remote === '' || isLoopback(remote);
}

function healthAnswer(health: Health): Answer {
  if (health.healthy) return text(200, 'ok\n');
  const lines = Object.entries(health.problems).map(([name, why]) => `[-]${name}: ${why}`);
  return text(503, `${lines.join('\n')}\n`);
}

function json(value: unknown): Answer {
  return { status: 200, type: 'application/json', body: `${JSON.stringify(value, null, 2)}\n` };
}

function text(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body };
}
