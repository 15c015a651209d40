/**
 * Answers the ambassador gives itself: errors, exactly one for each request no server will answer.
 *
 * A request that is still arriving has no end yet, so its error has to wait for it while the rest of it is swallowed.
 * All of them begin with `ERR outrigger:`, so that nobody looks for them in Redis.
 */

import { encodeError } from '@outrigger/core/resp';
import type { RequestFeed } from './feed.ts';

export class OwnAnswers {
  readonly #feed: RequestFeed;
  readonly #toClient: (bytes: Uint8Array) => void;
  #pending: string | undefined;

  constructor(feed: RequestFeed, toClient: (bytes: Uint8Array) => void) {
    this.#feed = feed;
    this.#toClient = toClient;
  }

  /** The error of the request whose rest is being swallowed. */
  get pending(): string | undefined {
    return this.#pending;
  }

  error(text: string): void {
    this.#toClient(encodeError(`ERR outrigger: ${text}`));
  }

  /** Answers the request the feed shows. What was accepted before it must have been sent. */
  refuse(text: string): void {
    this.#feed.accept();
    this.#feed.takeRun();
    if (this.#feed.streaming) this.#pending = text;
    else this.error(text);
  }

  /** Answers `count` requests, the last of which may still be arriving. */
  fail(count: number, text: string): void {
    const arriving = this.#feed.streaming ? 1 : 0;
    for (let i = arriving; i < count; i++) this.error(text);
    if (arriving > 0) this.#pending = text;
  }

  /** A streamed request has ended and was taken; answers it if it was being swallowed. */
  streamEnded(): void {
    if (this.#pending !== undefined) this.error(this.#pending);
    this.#pending = undefined;
  }
}
