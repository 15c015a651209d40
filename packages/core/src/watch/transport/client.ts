/**
 * The API client: requests and watch streams to the control service or any Kubernetes API server.
 *
 * It never repeats a request by itself: who calls knows whether that is safe. What it does by itself is to move to
 * another control URL when the one in use fails, so that the caller's next try goes there.
 */

import type { Pool } from 'undici';
import { ApiError } from '../../api/status.ts';
import type { Clock, Random } from '../../clock/index.ts';
import { OutriggerError } from '../../errors/index.ts';
import type { Logger } from '../../log/index.ts';
import type { Net } from '../../net/index.ts';
import type { ControlConnection } from '../connection/connection.ts';
import type { ControlUrl } from '../connection/url.ts';
import { connectorFor } from './connector.ts';
import { exchange } from './exchange.ts';
import type { Answer, Exchange } from './exchange.ts';
import { LineSplitter } from './lines.ts';
import { defaultClientLimits } from './limits.ts';
import type { ClientLimits } from './limits.ts';
import { withQuery } from './path.ts';
import type { Query } from './path.ts';
import { Rotation } from './rotation.ts';

export interface ApiRequest {
  /** Default GET. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** As `resourcePath` makes it. */
  readonly path: string;
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Default `application/json`; patches name theirs. */
  readonly contentType?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Fails with CONTROL_MOVED when this control URL is not the one in use any more. */
  readonly at?: string;
}

export interface ApiStream {
  readonly path: string;
  readonly query?: Query;
  readonly signal: AbortSignal;
  readonly at?: string;
  /** The server has accepted the watch. */
  readonly onOpen?: () => void;
  /** The lines that arrived together, in order. May throw: the stream ends with what it throws. */
  readonly onLines: (lines: readonly string[]) => void;
}

export interface ApiClient {
  /** The control URL in use. */
  readonly url: string;
  /** The namespace the credentials belong to, where they say. */
  readonly namespace: string | undefined;
  /**
   * The answer's JSON (or text, where it is none). Rejects with ApiError for what the server refused, CONTROL_UNREACHABLE,
   * CONTROL_TIMEOUT, CONTROL_BROKEN or CONTROL_RESPONSE_TOO_LARGE for what did not reach it or come back.
   */
  request<T = unknown>(request: ApiRequest): Promise<T>;
  /** Resolves when the server ended the stream in order; rejects like `request`, or with the signal's reason. */
  stream(stream: ApiStream): Promise<void>;
  /** True when an error of this client was the failure of one URL and another is worth trying at once. */
  movedOn(error: unknown): boolean;
  /** Ends everything under way. */
  close(): Promise<void>;
}

export interface ClientDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly net: Net;
}

export interface ClientOptions {
  readonly userAgent: string;
  readonly limits?: Partial<ClientLimits>;
}

export function createApiClient(
  connection: ControlConnection,
  options: ClientOptions,
  deps: ClientDeps,
): ApiClient {
  return new UndiciClient(connection, options, deps);
}

class UndiciClient implements ApiClient {
  readonly #connection: ControlConnection;
  readonly #deps: ClientDeps;
  readonly #limits: ClientLimits;
  readonly #userAgent: string;
  readonly #rotation: Rotation;
  readonly #pools = new Map<number, Promise<Pool>>();
  readonly #movedOn = new WeakSet<object>();
  readonly #closing = new AbortController();

  constructor(connection: ControlConnection, options: ClientOptions, deps: ClientDeps) {
    this.#connection = connection;
    this.#deps = deps;
    this.#limits = { ...defaultClientLimits, ...options.limits };
    this.#userAgent = options.userAgent;
    this.#rotation = new Rotation(connection.urls.length, deps.random);
  }

  get url(): string {
    return this.#urlAt(this.#rotation.current).text;
  }

  get namespace(): string | undefined {
    return this.#connection.namespace;
  }

  movedOn(error: unknown): boolean {
    return typeof error === 'object' && error !== null && this.#movedOn.has(error);
  }

  async request<T>(request: ApiRequest): Promise<T> {
    const { method = 'GET', path, query, body, contentType = 'application/json', signal } = request;
    const collected = new Collected(this.#limits.maxResponseBytes);
    await this.#send(
      {
        method,
        path: withQuery(path, query),
        headers: body === undefined ? {} : { 'content-type': contentType },
        headTimeoutMs: request.timeoutMs ?? this.#limits.requestTimeoutMs,
        totalTimeoutMs: request.timeoutMs ?? this.#limits.requestTimeoutMs,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      },
      request.at,
      collected,
    );
    return collected.value() as T;
  }

  async stream(stream: ApiStream): Promise<void> {
    const lines = new LineSplitter(this.#limits.maxLineBytes);
    const collected = new Collected(this.#limits.maxResponseBytes);
    const answer: Answer = {
      head: (status, headers) => {
        collected.head(status, headers);
        if (status < 300) stream.onOpen?.();
      },
      data: (chunk) => {
        if (collected.status >= 300) {
          collected.data(chunk);
          return;
        }
        const complete = lines.push(chunk);
        if (complete.length > 0) stream.onLines(complete);
      },
    };
    const { path, query, signal } = stream;
    await this.#send(
      {
        method: 'GET',
        path: withQuery(path, query),
        headers: {},
        headTimeoutMs: this.#limits.headTimeoutMs,
        signal,
      },
      stream.at,
      { ...answer, value: () => collected.value() },
    );
    if (lines.unfinished > 0) throw this.#cutInLine(lines.unfinished);
  }

  async close(): Promise<void> {
    this.#closing.abort(closedError());
    const pools = await Promise.all(this.#pools.values());
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  async #send(
    options: Omit<Exchange, 'target'>,
    at: string | undefined,
    answer: Answer & { value(): unknown },
  ): Promise<void> {
    const index = this.#rotation.current;
    const url = this.#urlAt(index);
    if (at !== undefined && at !== url.text) throw moved(at, url);
    try {
      const pool = await this.#pool(index);
      const headers = { ...(await this.#headers()), ...options.headers };
      const path = `${url.prefix}${options.path}`;
      await exchange(pool, { ...options, headers, path, target: url.text }, answer, this.#deps.clock);
      // Throws where the status says that the request failed.
      answer.value();
      this.#rotation.succeeded(index);
    } catch (error) {
      this.#judge(error, index);
      throw error;
    }
  }

  #judge(error: unknown, index: number): void {
    if (error instanceof ApiError && error.httpStatus === 401) this.#connection.forget();
    if (this.#closing.signal.aborted || !isFailureOfServer(error) || this.#connection.urls.length === 1)
      return;
    const before = this.#rotation.current;
    if (this.#rotation.failed(index)) this.#movedOn.add(error as object);
    if (this.#rotation.current === before) return;
    this.#deps.log.info('control URL failed, using another', {
      failed: this.#urlAt(index).text,
      now: this.url,
      error,
    });
  }

  async #headers(): Promise<Record<string, string>> {
    const authorization = await this.#connection.authorization();
    return {
      accept: 'application/json',
      'user-agent': this.#userAgent,
      ...(authorization === undefined ? {} : { authorization }),
    };
  }

  #pool(index: number): Promise<Pool> {
    if (this.#closing.signal.aborted) throw closedError();
    const known = this.#pools.get(index);
    if (known !== undefined) return known;
    const url = this.#urlAt(index);
    const pool = loadPool().then(
      (PoolClass) =>
        new PoolClass(url.origin, {
          connect: connectorFor(url, this.#connection, this.#limits, {
            ...this.#deps,
            closing: this.#closing.signal,
          }),
          pipelining: 1,
          // Our own clock watches over both.
          headersTimeout: 0,
          bodyTimeout: 0,
        }),
    );
    this.#pools.set(index, pool);
    return pool;
  }

  #urlAt(index: number): ControlUrl {
    const url = this.#connection.urls[index];
    if (url === undefined)
      throw new OutriggerError('no control URL is given', { code: 'CONTROL_CONFIG', hint: 'give --control' });
    return url;
  }

  #cutInLine(bytes: number): OutriggerError {
    return new OutriggerError(`a watch ended inside a line, after ${bytes} bytes of it`, {
      code: 'CONTROL_BROKEN',
      target: this.url,
      hint: 'the server or something between ended it',
    });
  }
}

/** An answer held in memory until it is complete. */
class Collected implements Answer {
  readonly #maxBytes: number;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #retryAfter: number | undefined;
  status = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  head(status: number, headers: Readonly<Record<string, string | string[] | undefined>>): void {
    this.status = status;
    const seconds = Number(headers['retry-after']);
    if (headers['retry-after'] !== undefined && Number.isFinite(seconds)) this.#retryAfter = seconds;
  }

  data(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#chunks.push(chunk);
    if (this.#bytes <= this.#maxBytes) return;
    throw new OutriggerError(`an answer exceeds ${this.#maxBytes} bytes`, {
      code: 'CONTROL_RESPONSE_TOO_LARGE',
      hint: 'narrow what is asked for',
    });
  }

  /** Throws ApiError for a status of 300 and above. */
  value(): unknown {
    const text = Buffer.concat(this.#chunks).toString('utf8');
    const value = parsed(text);
    if (this.status < 300) return value;
    const error = ApiError.fromStatus(value, this.status);
    if (this.#retryAfter === undefined || error.retryAfterSeconds !== undefined) throw error;
    const status = error.toStatus();
    throw new ApiError({ ...status, details: { ...status.details, retryAfterSeconds: this.#retryAfter } });
  }
}

/** Another URL may do better: it could not be reached, did not answer, broke off, or says that it cannot serve. */
function isFailureOfServer(error: unknown): boolean {
  if (error instanceof ApiError) return [502, 503, 504].includes(error.httpStatus);
  return (
    error instanceof OutriggerError &&
    (error.code === 'CONTROL_UNREACHABLE' ||
      error.code === 'CONTROL_TIMEOUT' ||
      error.code === 'CONTROL_BROKEN')
  );
}

function closedError(): OutriggerError {
  return new OutriggerError('the API client is closed', { code: 'CONTROL_CLOSED' });
}

function moved(at: string, now: ControlUrl): OutriggerError {
  return new OutriggerError(`${at} is not in use any more, ${now.text} is`, {
    code: 'CONTROL_MOVED',
    target: at,
    hint: 'check the identity of the cluster there first',
  });
}

/** Plain texts come from `/healthz` and from whatever answers in the place of an API server. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * undici's Pool alone: 10 ms and 3 MB, where the whole package (fetch, WebSocket, caches) takes 35 ms and 14 MB at the
 * start of every daemon. The version is pinned, and the package exports all of its files.
 */
async function loadPool(): Promise<typeof Pool> {
  const file: string = 'undici/lib/dispatcher/pool.js';
  return ((await import(file)) as { default: typeof Pool }).default;
}
