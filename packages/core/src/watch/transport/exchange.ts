/** One request and its answer over undici's `dispatch`, with our own clock deciding when it took too long. */

import type { Dispatcher, Pool } from 'undici';
import type { Clock, Timer } from '../../clock/index.ts';
import { OutriggerError } from '../../errors/index.ts';

export interface Exchange {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Until the head of the answer. */
  readonly headTimeoutMs: number;
  /** Until its end; absent for streams. */
  readonly totalTimeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Names the server in errors. */
  readonly target: string;
}

export interface Answer {
  head(status: number, headers: Readonly<Record<string, string | string[] | undefined>>): void;
  /** May throw: the exchange ends with what it throws. */
  data(chunk: Buffer): void;
}

/** Resolves when the answer ended as the server meant it to; rejects with why not. */
export function exchange(pool: Pool, options: Exchange, answer: Answer, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    const { signal, target } = options;
    let controller: Dispatcher.DispatchController | undefined;
    let ended = false;
    const timers: Timer[] = [];
    const finish = (error?: Error): void => {
      if (ended) return;
      ended = true;
      for (const timer of timers) timer.cancel();
      signal?.removeEventListener('abort', onAbort);
      if (error === undefined) {
        resolve();
        return;
      }
      controller?.abort(error);
      reject(error);
    };
    const onAbort = (): void => finish(asError(signal?.reason));
    const timeout = (ms: number, what: string): Timer =>
      clock.setTimeout(() => finish(tooSlow(target, ms, what)), ms);
    const headTimer = timeout(options.headTimeoutMs, 'answer');
    timers.push(headTimer);
    if (options.totalTimeoutMs !== undefined) timers.push(timeout(options.totalTimeoutMs, 'complete answer'));
    if (signal?.aborted === true) {
      onAbort();
      return;
    }
    signal?.addEventListener('abort', onAbort, { once: true });
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: (started) => {
        controller = started;
        // Given up while it waited for its connection.
        if (ended) started.abort(new Error('given up before it was sent'));
      },
      onResponseStart: (_controller, status, headers) => {
        if (status < 200 || ended) return;
        headTimer.cancel();
        answer.head(status, headers);
      },
      onResponseData: (_controller, chunk) => {
        if (ended) return;
        try {
          answer.data(chunk);
        } catch (error) {
          finish(asError(error));
        }
      },
      onResponseEnd: () => finish(),
      onResponseError: (_controller, error) => finish(broken(target, error)),
    };
    const { method, path, headers, body } = options;
    try {
      pool.dispatch({ method, path, headers, ...(body === undefined ? {} : { body }) }, handler);
    } catch (error) {
      finish(asError(error));
    }
  });
}

function tooSlow(target: string, ms: number, what: string): OutriggerError {
  return new OutriggerError(`no ${what} from ${target} within ${ms} ms`, {
    code: 'CONTROL_TIMEOUT',
    target,
    hint: 'the server is overloaded, or something between swallows packets',
  });
}

function broken(target: string, cause: Error): OutriggerError {
  if (cause instanceof OutriggerError) return cause;
  return new OutriggerError(`the connection to ${target} broke: ${cause.message}`, {
    code: 'CONTROL_BROKEN',
    target,
    hint: 'the server or something between ended it',
    cause,
  });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
