/** Requests and answers as handlers see them: no sockets, no HTTP version. */

import type { WatchSink } from '../watch/sink.ts';

export interface ApiRequest {
  readonly method: string;
  /** As sent, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly peer: Peer;
  /** Reads the whole body. Rejects with a 413 ApiError beyond the limit. */
  body(): Promise<Buffer>;
}

export interface Peer {
  /** Empty on a unix socket. */
  readonly address: string;
  /** Subject of the client certificate, once it was verified. */
  readonly certificate:
    { readonly commonName: string; readonly organizations: readonly string[] } | undefined;
}

export type Headers = Readonly<Record<string, string | readonly string[]>>;

export interface Answer {
  readonly status: number;
  readonly headers?: Headers;
  readonly body?: Buffer | string;
}

/** An answer without an end: once its headers are out, `open` takes over the stream. */
export interface StreamAnswer {
  readonly status: 200;
  readonly headers: Headers;
  open(sink: WatchSink): void;
}

export type Handler = (request: ApiRequest) => Promise<Answer | StreamAnswer>;

export function isStream(answer: Answer | StreamAnswer): answer is StreamAnswer {
  return 'open' in answer;
}

/** A header's one value; the first of several. */
export function headerOf(request: Pick<ApiRequest, 'headers'>, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : value?.[0];
}
