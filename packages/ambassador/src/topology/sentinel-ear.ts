/** One sentinel: asked on one connection, listened to on another (a subscribed connection answers nothing else). */

import type { Redis } from 'ioredis';
import type { Server } from '../upstream/server.ts';
import { connecting, explain } from './connect.ts';
import { Link } from './link.ts';
import type { LinkOptions } from './link.ts';
import { namesOf, readView } from './sentinel-view.ts';
import type { FlatFields, SentinelView } from './sentinel-view.ts';

export interface EarOptions extends LinkOptions {
  readonly master: string;
  readonly onEvent: (channel: string, message: string) => void;
  /** What it said, or why it says nothing. */
  readonly onWord: (word: SentinelView | string) => void;
}

export class SentinelEar {
  readonly server: Server;
  readonly #options: EarOptions;
  readonly #link: Link;
  #subscribed: Redis | undefined;
  #subscribing = false;
  #asking: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(server: Server, options: EarOptions) {
    this.server = server;
    this.#options = options;
    this.#link = new Link(server, options, () => options.onWord('it closed its connection'));
  }

  /** Whether its events are heard. */
  get listening(): boolean {
    return this.#subscribed !== undefined;
  }

  /** Resolves when it has answered or failed. Asked meanwhile, it is asked once more. */
  ask(): Promise<void> {
    if (this.#asking !== undefined) this.#again = true;
    this.#asking ??= this.#asked();
    return this.#asking;
  }

  /** Opens the subscription unless it stands. */
  async listen(): Promise<void> {
    if (this.#subscribed !== undefined || this.#subscribing || this.#closed) return;
    this.#subscribing = true;
    try {
      await this.#subscribe();
    } catch {
      // The question on the other connection fails for the same reason, and tells it.
    } finally {
      this.#subscribing = false;
    }
  }

  close(): void {
    this.#closed = true;
    this.#link.close();
    this.#subscribed?.disconnect();
  }

  async #asked(): Promise<void> {
    do {
      this.#again = false;
      const word = await this.#question();
      if (this.#closed) return;
      this.#options.onWord(word);
    } while (this.#again);
    this.#asking = undefined;
  }

  async #question(): Promise<SentinelView | string> {
    const { master } = this.#options;
    const ask = (...words: string[]): Promise<unknown> => this.#link.call('SENTINEL', ...words);
    try {
      const [address, state, replicas, sentinels] = await Promise.all([
        ask('GET-MASTER-ADDR-BY-NAME', master),
        ask('MASTER', master).catch(unknownName),
        ask('REPLICAS', master).catch(unknownName),
        ask('SENTINELS', master).catch(unknownName),
      ]);
      if (address === null) {
        const names = namesOf((await ask('MASTERS')) as FlatFields[]).map((name) => `"${name}"`);
        return `it knows no primary named "${master}" (it knows: ${names.join(', ') || 'none'})`;
      }
      return readView(this.server.name, {
        address: address as [string, string],
        master: state as FlatFields,
        replicas: replicas as FlatFields[],
        sentinels: sentinels as FlatFields[],
      });
    } catch (error) {
      return explain(error);
    }
  }

  async #subscribe(): Promise<void> {
    const { onEvent } = this.#options;
    const { redis, ready } = await connecting(this.server, this.#options);
    redis.once('end', () => {
      if (this.#subscribed === redis) this.#subscribed = undefined;
    });
    redis.on('pmessage', (_pattern: string, channel: string, message: string) => onEvent(channel, message));
    await ready();
    await redis.psubscribe('+*', '-*');
    if (this.#closed) redis.disconnect();
    else this.#subscribed = redis;
  }
}

/** The address is null then, and says it. */
function unknownName(error: Error): readonly string[] {
  if (/No such master/i.test(error.message)) return [];
  throw error;
}
