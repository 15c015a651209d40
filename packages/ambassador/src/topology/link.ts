/** The connection on which one server is asked what it is: opened when asked, reopened when asked again. */

import type { Clock } from '@outrigger/core/clock';
import type { Redis } from 'ioredis';
import type { AmbassadorLimits } from '../daemon/limits.ts';
import type { Server } from '../upstream/server.ts';
import { closedByServer, connecting, explain } from './connect.ts';
import type { ConnectionOptions } from './connect.ts';
import { isBusy } from '../upstream/welcome.ts';
import { infoField, readSample } from './info.ts';
import type { TopologyLimits } from './limits.ts';
import type { Sample } from './topology.ts';

export interface LinkOptions extends ConnectionOptions {
  readonly clock: Clock;
  readonly limits: Pick<AmbassadorLimits, 'pollTimeoutMs'> & Pick<TopologyLimits, 'primarySilenceMs'>;
}

/** What came of a question. */
export type Heard =
  | { readonly kind: 'sample'; readonly sample: Sample; readonly tookMs: number }
  /** There is no connection, or it may not ask. */
  | { readonly kind: 'gone'; readonly why: string }
  /** The connection stands and nothing is heard. */
  | { readonly kind: 'silent'; readonly why: string }
  /** A script runs for long: it says so, and nothing else. */
  | { readonly kind: 'busy'; readonly why: string };

interface Open {
  readonly redis: Redis;
  readonly runId: string;
  readonly zone: string | undefined;
  /** It wants a password and we have none: its clients do. It lives, and that is all it tells. */
  readonly locked: boolean;
}

/** Of a server that tells us nothing: whoever is meant to be the primary is believed on that word. */
const untold: Sample = {
  runId: '?',
  role: 'master',
  replId: '?',
  offset: 0,
  syncing: false,
  previousReplId: undefined,
  linkDown: false,
  follows: undefined,
};

export class Link {
  readonly server: Server;
  readonly #options: LinkOptions;
  readonly #onEnd: () => void;
  #redis: Redis | undefined;
  #open: Open | undefined;
  #opening: Promise<Open> | undefined;
  /** Since when a question has been out for too long. */
  #unansweredSinceMs: number | undefined;
  #closed = false;

  /** `onEnd`: an established connection was closed by the other side. */
  constructor(server: Server, options: LinkOptions, onEnd: () => void) {
    this.server = server;
    this.#options = options;
    this.#onEnd = onEnd;
  }

  /** Never rejects. */
  async ask(): Promise<Heard> {
    const { clock, limits } = this.#options;
    const startedMs = clock.now();
    if (this.#unansweredSinceMs !== undefined) {
      if (startedMs - this.#unansweredSinceMs < limits.primarySilenceMs) return this.#silence();
      this.#disconnect();
    }
    const question = this.#question(startedMs);
    const heard = await this.#atMost(question);
    if (heard !== undefined) return heard;
    if (this.#open === undefined) {
      this.#disconnect();
      return { kind: 'gone', why: this.#silence().why };
    }
    // It may be busy, and answers late: whatever it says then is of no use any more, but it lives.
    const { redis } = this.#open;
    this.#unansweredSinceMs = startedMs;
    void question.then(() => {
      if (this.#redis === redis) this.#unansweredSinceMs = undefined;
    });
    return this.#silence();
  }

  /** Any other command. Rejects when it fails or is not answered in time. */
  async call(command: string, ...words: readonly string[]): Promise<unknown> {
    const answer = this.#opened().then(({ redis }) => redis.call(command, ...words));
    const heard = await this.#atMost(answer.then((value) => ({ value })));
    if (heard !== undefined) return heard.value;
    if (this.#open === undefined) this.#disconnect();
    throw new Error(this.#silence().why);
  }

  close(): void {
    this.#closed = true;
    this.#disconnect();
  }

  /** Undefined when it takes too long. */
  async #atMost<T>(answer: Promise<T>): Promise<T | undefined> {
    const { clock, limits } = this.#options;
    const late = new AbortController();
    const timeout = clock.sleep(limits.pollTimeoutMs, late.signal).then(
      () => undefined,
      () => undefined,
    );
    try {
      return await Promise.race([answer, timeout]);
    } finally {
      late.abort();
    }
  }

  async #question(startedMs: number): Promise<Heard> {
    const established = this.#open !== undefined;
    try {
      const { redis, runId, zone, locked } = await this.#opened();
      if (locked) return await this.#knock(redis, startedMs);
      if (runId === '') return { kind: 'gone', why: 'it does not tell its run_id: its user may not INFO' };
      const [loading, replication] = await Promise.all([isLoading(redis), redis.info('replication')]);
      const sample = readSample(runId, replication);
      const why = 'it does not tell its replication id and offset (Redis 4 or later does)';
      if (sample === undefined) return { kind: 'gone', why };
      return {
        kind: 'sample',
        sample: { ...sample, loading, zone },
        tookMs: this.#options.clock.now() - startedMs,
      };
    } catch (error) {
      const why = explain(error);
      const busy = isBusy((error as Error).message);
      if (busy && this.#open !== undefined) return { kind: 'busy', why };
      this.#disconnect();
      // Closed with the question out: a new connection tells whether the server has gone, or this connection alone.
      if (established && why === closedByServer) return this.#question(startedMs);
      return { kind: busy ? 'busy' : 'gone', why };
    }
  }

  async #knock(redis: Redis, startedMs: number): Promise<Heard> {
    await redis.ping().catch(wantsPassword);
    return { kind: 'sample', sample: untold, tookMs: this.#options.clock.now() - startedMs };
  }

  #opened(): Promise<Open> {
    if (this.#open !== undefined) return Promise.resolve(this.#open);
    this.#opening ??= this.#connect().finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  async #connect(): Promise<Open> {
    const { redis, ready } = await connecting(this.server, this.#options);
    if (this.#closed) throw new Error('closed');
    this.#redis = redis;
    redis.once('end', () => this.#ended(redis));
    await ready();
    const unknown = this.#options.credentials() === undefined;
    let locked = false;
    const about = await redis.info('server').catch((error: Error) => {
      locked = unknown && error.message.startsWith('NOAUTH');
      return locked ? '' : mayNotAsk(error);
    });
    if (this.#redis !== redis) throw new Error('closed');
    this.#open = {
      redis,
      runId: infoField(about, 'run_id') ?? '',
      zone: infoField(about, 'availability_zone') || undefined,
      locked,
    };
    return this.#open;
  }

  #silence(): { kind: 'silent'; why: string } {
    return { kind: 'silent', why: `it did not answer within ${this.#options.limits.pollTimeoutMs} ms` };
  }

  /** A server that dies closes its connection at once: no need to wait for the next question to find out. */
  #ended(redis: Redis): void {
    if (this.#redis !== redis) return;
    const established = this.#open !== undefined;
    this.#disconnect();
    if (established && !this.#closed) this.#onEnd();
  }

  #disconnect(): void {
    const redis = this.#redis;
    this.#redis = undefined;
    this.#open = undefined;
    this.#unansweredSinceMs = undefined;
    redis?.disconnect();
  }
}

/** The connection is good, only this question is not allowed. */
function mayNotAsk(error: Error): string {
  if (/^(NOPERM|ERR unknown command)/.test(error.message)) return '';
  throw error;
}

function wantsPassword(error: Error): void {
  if (!error.message.startsWith('NOAUTH')) throw error;
}

/** INFO is answered while the data is loading; PING is not. */
async function isLoading(redis: Redis): Promise<boolean> {
  try {
    await redis.ping();
    return false;
  } catch (error) {
    const { message } = error as Error;
    // Redis may refuse PING for other reasons, which do not matter here; a lost connection does.
    if (/^(MASTERDOWN|MISCONF|NOPERM|ERR)\b/.test(message)) return false;
    if (/^LOADING\b/.test(message)) return true;
    throw error;
  }
}
