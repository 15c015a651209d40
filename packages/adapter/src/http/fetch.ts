/** Asks one page over HTTP: kept connections, limits, redirects to the same host. Every failure is a SourceError. */

import { STATUS_CODES } from 'node:http';
import type { Asked } from '../sources/source.ts';
import { SourceError } from '../sources/source.ts';
import { discard, readBody } from './body.ts';
import { requestFailure, shownUrl } from './failure.ts';
import type { HttpOptions } from './options.ts';
import { Pools } from './pools.ts';
import type { PoolResponse } from './pools.ts';
import { authorization, tlsMaterial } from './secrets.ts';
import type { Environment } from './secrets.ts';

export interface PageRequest {
  readonly url: URL;
  /** `POST` where there is a body, else `GET`. */
  readonly body?: string | undefined;
  /** Less than those of the configuration, which may replace them. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sends `X-Prometheus-Scrape-Timeout-Seconds`. */
  readonly tellTimeout?: boolean;
  /** Default: 200 to 299. */
  readonly validStatus?: (status: number) => boolean;
  /** Asking twice does no harm: a kept connection that turns out to be closed is replaced. Default: without a body. */
  readonly repeatable?: boolean;
}

export interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
}

const maxRedirects = 5;

export class Fetcher {
  readonly #options: HttpOptions;
  readonly #environment: Environment;
  readonly #pools: Pools;

  constructor(options: HttpOptions, environment: Environment) {
    this.#options = options;
    this.#environment = environment;
    this.#pools = new Pools(options.tls);
  }

  /** Throws SourceError. */
  async fetch(request: PageRequest, asked: Asked): Promise<Page> {
    try {
      asked.signal.throwIfAborted();
      return await this.#follow(request, asked);
    } catch (error) {
      throw requestFailure(error, request.url, asked.signal, asked.leftMs);
    }
  }

  /** Ends what is under way too. */
  async close(): Promise<void> {
    const { authentication } = this.#options;
    await this.#pools.close();
    if (authentication.type === 'token') await authentication.from.close();
  }

  /** Lets what is under way end; nothing may be asked any more. */
  retire(): void {
    const { authentication } = this.#options;
    this.#pools.retire();
    if (authentication.type === 'token') authentication.from.retire();
  }

  async #follow(request: PageRequest, asked: Asked): Promise<Page> {
    const headers = await this.#headers(request, asked);
    const material = await tlsMaterial(this.#options.tls, this.#environment);
    let { url, body } = request;
    for (let redirects = 0; ; redirects++) {
      const ask = {
        method: body === undefined ? ('GET' as const) : ('POST' as const),
        path: `${url.pathname}${url.search}`,
        headers,
        body: body ?? null,
        signal: asked.signal,
      };
      const repeatable = request.repeatable ?? body === undefined;
      const response = await this.#pools.ask(url.origin, material, ask, repeatable);
      const location = redirectOf(response);
      if (location === undefined || request.validStatus?.(response.statusCode) === true) {
        return this.#page(response, url, request);
      }
      discard(response.body);
      url = this.#redirected(url, location, redirects);
      if (response.statusCode < 307) body = undefined;
    }
  }

  async #headers(request: PageRequest, asked: Asked): Promise<Record<string, string>> {
    const headers: Record<string, string> = {
      'user-agent': 'outrigger-adapter',
      'accept-encoding': 'gzip',
    };
    if (request.tellTimeout === true) {
      headers['x-prometheus-scrape-timeout-seconds'] = String(Math.max(0, asked.leftMs) / 1000);
    }
    for (const given of [request.headers ?? {}, this.#options.headers]) {
      for (const [name, value] of Object.entries(given)) headers[name.toLowerCase()] = value;
    }
    const credentials = await authorization(this.#options.authentication, this.#environment, asked);
    if (credentials !== undefined) headers['authorization'] = credentials;
    return headers;
  }

  #redirected(from: URL, location: string, redirects: number): URL {
    const refuse = (why: string): SourceError =>
      new SourceError('redirect', `${shownUrl(from)} redirects ${why}`);
    const to = URL.parse(location, from.href);
    if (to === null) throw refuse('to what is no URL; repair it, or name the right page');
    if (!this.#options.followRedirects) {
      throw refuse(`to ${shownUrl(to)}, and followRedirects is off; name the page itself`);
    }
    if (!sameHost(from, to)) throw refuse(`elsewhere, to ${shownUrl(to)}; name that page if you trust it`);
    if (redirects >= maxRedirects) throw refuse(`more than ${maxRedirects} times; name the page itself`);
    return to;
  }

  async #page(response: PoolResponse, url: URL, request: PageRequest): Promise<Page> {
    const { statusCode: status } = response;
    const where = shownUrl(url);
    const valid = request.validStatus?.(status) ?? (status >= 200 && status < 300);
    if (!valid) {
      const { authentication } = this.#options;
      if (status === 401 && authentication.type === 'token') authentication.from.forget();
      discard(response.body);
      throw unwanted(status, where);
    }
    const body = await readBody(response.body, {
      encoding: headerOf(response, 'content-encoding'),
      announced: headerOf(response, 'content-length'),
      maxBytes: this.#options.maxBodyBytes,
      where,
    });
    return { status, contentType: headerOf(response, 'content-type') ?? '', body };
  }
}

function unwanted(status: number, where: string): SourceError {
  const text = `${where} answered ${status} ${STATUS_CODES[status] ?? ''}`.trimEnd();
  if (status === 401 || status === 403) {
    return new SourceError('auth', `${text}; check username, passwordFrom and bearerTokenFrom`);
  }
  const hint = status === 404 ? 'check the path' : 'see its log';
  return new SourceError('status', `${text}; ${hint}`);
}

function redirectOf(response: PoolResponse): string | undefined {
  const isRedirect = [301, 302, 303, 307, 308].includes(response.statusCode);
  return isRedirect ? headerOf(response, 'location') : undefined;
}

/** Also from http to https on the standard ports; never back, where credentials would travel in the clear. */
function sameHost(from: URL, to: URL): boolean {
  if (from.origin === to.origin) return true;
  const standard = from.port === '' && to.port === '';
  return standard && from.protocol === 'http:' && to.protocol === 'https:' && from.hostname === to.hostname;
}

function headerOf(response: PoolResponse, name: string): string | undefined {
  const value = response.headers[name];
  return typeof value === 'string' ? value : value?.[0];
}
