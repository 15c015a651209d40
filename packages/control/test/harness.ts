/** A control service in memory on a free port, and a client that speaks plain HTTP to it. */

import http from 'node:http';
import { defaultsOf } from '@outrigger/core/api';
import { testDeps } from '@outrigger/core/testing';
import type { TestDeps } from '@outrigger/core/testing';
import type { Daemon, Deps } from '@outrigger/core/lifecycle';
import { controlSchema, parseControlConfig, start } from '../src/index.ts';

export interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON; tests look at it as freely as a client would. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

export interface Control {
  readonly daemon: Daemon;
  readonly deps: TestDeps;
  readonly url: string;
  request(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
  get(path: string, headers?: Record<string, string>): Promise<Reply>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Reply>;
  watch(path: string, headers?: Record<string, string>): Promise<Watch>;
}

export interface WatchEvent {
  readonly type: string;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly object: any;
}

/** One open watch; events wait until they are asked for. */
export interface Watch {
  readonly headers: http.IncomingHttpHeaders;
  next(): Promise<WatchEvent>;
  /** Resolves when the server ends the stream, with the events nobody asked for. */
  ended(): Promise<WatchEvent[]>;
  close(): void;
}

interface Teardown {
  teardown(callback: () => unknown): void;
}

export async function startControl(
  t: Teardown,
  values: Record<string, unknown> = {},
  replaced: Partial<Deps> = {},
): Promise<Control> {
  const deps = testDeps(replaced);
  const config = parseControlConfig({
    ...defaultsOf(controlSchema),
    memory: true,
    listen: '127.0.0.1:0',
    ...values,
  });
  const daemon = await start(config, deps);
  t.teardown(() => daemon.close());
  const url = `http://${daemon.addresses['api'] ?? ''}`;
  const request: Control['request'] = (method, path, body, headers) => send(url, method, path, body, headers);
  return {
    daemon,
    deps,
    url,
    request,
    get: (path, headers) => request('GET', path, undefined, headers),
    post: (path, body, headers) => request('POST', path, body, headers),
    watch: async (path, headers) => {
      const watch = await openWatch(url + path, headers);
      t.teardown(() => watch.close());
      return watch;
    },
  };
}

export function service(name: string, extra: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    ...extra,
  };
}

export const services = '/api/v1/namespaces/default/services';
export const mergePatch = { 'content-type': 'application/merge-patch+json' };

/** The path goes out as it is given: a URL object would tidy it up first. */
function send(
  url: string,
  method: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => resolve(reply(response, Buffer.concat(chunks))));
      response.once('error', reject);
    });
    request.once('error', reject);
    if (body === undefined) {
      request.end();
      return;
    }
    const bytes = Buffer.isBuffer(body)
      ? body
      : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    // Node sends the body of a DELETE without any length unless it is told one.
    request.setHeader('content-length', bytes.length);
    request.end(bytes);
  });
}

function reply(response: http.IncomingMessage, bytes: Buffer): Reply {
  const text = bytes.toString();
  const isJson = response.headers['content-type']?.startsWith('application/json') === true;
  const plain = response.headers['content-encoding'] === undefined;
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text,
    body: isJson && plain && text !== '' ? JSON.parse(text) : undefined,
  };
}

function openWatch(url: string, headers: Record<string, string> = {}): Promise<Watch> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { headers, agent: false }, (response) => {
      const lines = new Lines(response);
      resolve({
        headers: response.headers,
        next: () => lines.next(),
        ended: () => lines.ended(),
        close: () => request.destroy(),
      });
    });
    request.once('error', reject);
  });
}

class Lines {
  readonly #waiting: ((event: WatchEvent) => void)[] = [];
  readonly #events: WatchEvent[] = [];
  readonly #ended: Promise<void>;
  #rest = '';

  constructor(response: http.IncomingMessage) {
    response.setEncoding('utf8');
    response.on('data', (text: string) => this.#take(text));
    this.#ended = new Promise((resolve) => {
      response.once('end', resolve);
      response.once('error', () => resolve());
    });
  }

  next(): Promise<WatchEvent> {
    const event = this.#events.shift();
    if (event !== undefined) return Promise.resolve(event);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async ended(): Promise<WatchEvent[]> {
    await this.#ended;
    return this.#events.splice(0);
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = JSON.parse(line) as WatchEvent;
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#events.push(event);
      else waiting(event);
    }
  }
}
