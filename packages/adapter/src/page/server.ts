/** The scrape address: `/metrics`, `/probe`, a landing page, behind the users and TLS of the web configuration. */

import type { Timer } from '@outrigger/core/clock';
import { describeError, errorCode, OutriggerError } from '@outrigger/core/errors';
import { answerPage, BlockPool, servePage, writePage } from '@outrigger/core/exposition';
import type { Deps } from '@outrigger/core/lifecycle';
import { version } from '@outrigger/core/lifecycle';
import { http, warnOfExposure } from '@outrigger/core/net';
import type { Address } from '@outrigger/core/net';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Server } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { systemResolve } from './allow.ts';
import type { AllowList, Resolve } from './allow.ts';
import type { AskedSource } from './ask.ts';
import { landingPage } from './landing.ts';
import { timeForSources } from './page.ts';
import type { Page } from './page.ts';
import { SourceError } from '../sources/source.ts';
import type { Answer, Asked } from '../sources/source.ts';
import type { Web } from './web.ts';

/** Asks one target now. */
export type Probe = (target: string, module: string, asked: Asked) => Promise<Answer>;

export interface ScrapeServerParts {
  readonly page: Page;
  readonly web: Web;
  readonly probe: Probe;
  readonly allow: () => AllowList;
  readonly sources: () => readonly AskedSource[];
  readonly series: () => number;
  /** Default: the system's. */
  readonly resolve?: Resolve;
}

export interface ScrapeServer {
  readonly name: string;
  close(): void;
}

/** Probes under way at most: each may hold an answer of `maxBodySize` in memory. */
export const maxProbes = 32;

/** Requests that arrive slower than this are cut (slowloris). */
const requestTimeoutMs = 10_000;

/** For taking a page, which is held in memory meanwhile; longer than any scraper waits. */
export const sendTimeoutMs = 30_000;

export async function startScrapeServer(
  address: Address,
  parts: ScrapeServerParts,
  deps: Deps,
): Promise<ScrapeServer> {
  const pool = new BlockPool();
  const probes: Probes = { underWay: 0 };
  const listener: RequestListener = (request, response) => {
    void new Exchange(request, response, parts, { pool, probes }, deps).run();
  };
  const server = await makeServer(parts.web, listener);
  const bound = await deps.net.listen(server, address);
  const { tls } = parts.web;
  if (tls === undefined) warnOfExposure(deps.log, 'scrape', bound.address);
  return {
    name: bound.name,
    close: () => {
      bound.close();
      if ('closeAllConnections' in server) (server as { closeAllConnections(): void }).closeAllConnections();
    },
  };
}

async function makeServer(web: Web, listener: RequestListener): Promise<Server> {
  const { tls } = web;
  const limits = { requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs };
  if (tls === undefined) return http.createServer(limits, listener);
  const { createServer } = await import('node:https');
  const server = createServer({ ...limits, ...tls }, listener);
  web.onTls((changed) => server.setSecureContext(changed));
  return server;
}

interface Probes {
  underWay: number;
}

/** One request with its answer. */
class Exchange {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #parts: ScrapeServerParts;
  readonly #pool: BlockPool;
  readonly #probes: Probes;
  readonly #deps: Deps;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    parts: ScrapeServerParts,
    { pool, probes }: { readonly pool: BlockPool; readonly probes: Probes },
    deps: Deps,
  ) {
    this.#request = request;
    this.#response = response;
    this.#parts = parts;
    this.#pool = pool;
    this.#probes = probes;
    this.#deps = deps;
  }

  async run(): Promise<void> {
    try {
      for (const [name, value] of Object.entries(this.#parts.web.config.headers))
        this.#response.setHeader(name, value);
      if (await this.#mayPass()) await this.#route();
    } catch (error) {
      this.#fail(error);
    }
  }

  async #mayPass(): Promise<boolean> {
    const { web } = this.#parts;
    if (!web.mayPass()) return this.#text(429, 'more requests than rate_limit allows\n');
    if (!hasAllowedCertificate(this.#request.socket as TLSSocket, web))
      return this.#text(403, 'the client certificate is not one that may read this\n');
    const verdict = await web.check(this.#request.headers.authorization);
    if (verdict === 'yes') return true;
    if (verdict === 'busy') return this.#text(429, 'too many passwords are being checked\n');
    this.#response.setHeader('www-authenticate', 'Basic');
    return this.#text(401, 'name a user of basic_auth_users and the password\n');
  }

  async #route(): Promise<void> {
    const { method = 'GET', url = '/' } = this.#request;
    const [path] = url.split('?');
    if (method !== 'GET' && method !== 'HEAD') this.#text(405, 'use GET\n');
    else if (path === '/metrics') await this.#page();
    else if (path === '/probe') await this.#probe(new URLSearchParams(url.split('?')[1] ?? ''));
    else if (path === '/')
      this.#text(200, landingPage(this.#parts.sources(), this.#parts.series(), version), 'text/html');
    else this.#text(404, 'there are /metrics, /probe and /\n');
  }

  async #page(): Promise<void> {
    const { page } = this.#parts;
    const { promise: sent, resolve } = Promise.withResolvers<void>();
    let timer: Timer | undefined;
    const cut = (): void => {
      page.metrics.cutScrapes.add(1);
      this.#response.destroy();
    };
    try {
      await servePage(this.#request, this.#response, this.#pool, async (out, asked) => {
        await page.write(out, asked, sent);
        timer = this.#deps.clock.setTimeout(cut, sendTimeoutMs);
      });
    } finally {
      timer?.cancel();
      resolve();
    }
  }

  async #probe(query: URLSearchParams): Promise<void> {
    const { allow, resolve = systemResolve } = this.#parts;
    const target = URL.parse(query.get('target') ?? '');
    if (target === null || !/^https?:$/.test(target.protocol)) {
      this.#text(
        400,
        'target must be an http(s) URL: /probe?target=http://127.0.0.1:8080/stats&module=default\n',
      );
      return;
    }
    if (this.#probes.underWay >= maxProbes) throw this.#busy();
    this.#probes.underWay += 1;
    try {
      await this.#ask(await allow().urlToAsk(target, resolve), query);
    } finally {
      this.#probes.underWay -= 1;
    }
  }

  async #ask(url: URL, query: URLSearchParams): Promise<void> {
    const { probe } = this.#parts;
    const { clock } = this.#deps;
    const answer = await answerPage(this.#request.headers, query, this.#pool, async (out, asked) => {
      const leftMs = timeForSources(asked.timeoutMs);
      const controller = new AbortController();
      const abort = (): void => controller.abort();
      const timer = clock.setTimeout(abort, leftMs);
      // Nobody waits for the answer any more.
      this.#response.once('close', abort);
      try {
        const module = query.get('module') ?? 'default';
        const { families } = await probe(url.href, module, { signal: controller.signal, leftMs });
        await writePage(out, families, asked, clock);
      } finally {
        timer.cancel();
        this.#response.off('close', abort);
      }
    });
    this.#response.writeHead(200, answer.headers).end(this.#request.method === 'HEAD' ? '' : answer.body);
  }

  #busy(): OutriggerError {
    this.#parts.page.metrics.refusedScrapes.add(1);
    return new OutriggerError(`${maxProbes} probes are under way already`, {
      code: 'SCRAPE_BUSY',
      hint: 'ask fewer targets at once, or give them less time',
    });
  }

  #fail(error: unknown): void {
    // Whoever asked went away, and knows.
    if (this.#response.destroyed) return;
    const { log } = this.#deps;
    if (this.#response.headersSent) {
      log.warn('a scrape could not be finished', { path: this.#request.url, error });
      this.#response.destroy();
      return;
    }
    const code = errorCode(error);
    const status =
      code === 'SCRAPE_BUSY' || error instanceof SourceError
        ? 503
        : code === 'PROBE_FORBIDDEN'
          ? 403
          : error instanceof OutriggerError
            ? 400
            : 500;
    if (status === 500) log.warn('a scrape failed', { path: this.#request.url, error });
    this.#text(status, `${describeError(error)}\n`);
  }

  /** False, for those who say no by it. */
  #text(status: number, body: string, type = 'text/plain'): false {
    this.#response.writeHead(status, {
      'content-type': `${type}; charset=utf-8`,
      'content-length': Buffer.byteLength(body),
      'x-content-type-options': 'nosniff',
    });
    this.#response.end(this.#request.method === 'HEAD' ? '' : body);
    return false;
  }
}

function hasAllowedCertificate(socket: TLSSocket, web: Web): boolean {
  const { tls } = web.config;
  if (tls === undefined || tls.clientAuth === 'NoClientCert') return true;
  const certificate = socket.getPeerCertificate?.();
  const isGiven = certificate !== undefined && Object.keys(certificate).length > 0;
  if (!isGiven) return tls.clientAuth === 'RequestClientCert' || tls.clientAuth === 'VerifyClientCertIfGiven';
  if (tls.clientAuth.includes('Verify') && !socket.authorized) return false;
  if (tls.clientNames.length === 0) return true;
  const names = (certificate.subjectaltname ?? '').split(', ').map((name) => name.replace(/^[^:]*:/, ''));
  return names.some((name) => tls.clientNames.includes(name));
}
