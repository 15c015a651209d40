/**
 * The fan-out. Changes are delivered in rounds: a round takes everything the cache got since the last one, makes each
 * event's bytes once per form, and writes them to every watcher concerned, giving other work a turn after every few
 * hundred sockets. The history is the queue between cache and rounds, so a burst costs no memory of its own, and events
 * at hand become one write. A watcher that comes is first told what was (beginning.ts) and then joins the rounds.
 */

import { nextTurn } from '@outrigger/core/clock';
import type { Clock } from '@outrigger/core/clock';
import type { Logger } from '@outrigger/core/log';
import type { Cache } from '../cache/cache.ts';
import type { Resource } from '../registry/resource.ts';
import type { BeginningParts } from './beginning.ts';
import { tellBeginning } from './beginning.ts';
import { Channel } from './group.ts';
import type { Group, LineCache } from './group.ts';
import type { WatchLimits } from './limits.ts';
import type { WatchSink } from './sink.ts';
import type { EndReason, WatchSpec } from './watcher.ts';
import { Watcher } from './watcher.ts';

export interface HubOptions {
  readonly cache: Cache;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: WatchLimits;
  /** The Status object of "too old": asked revision and oldest one known. */
  readonly expired: (asked: number, oldest: number) => object;
  readonly counters: WatchCounters;
}

export interface WatchCounters {
  opened(resource: string): void;
  closed(resource: string, reason: EndReason): void;
  /** Frames handed to sockets. */
  sent(frames: number): void;
}

export class WatchHub {
  readonly #options: HubOptions;
  readonly #channels = new Map<string, Channel>();
  readonly #watchers = new Set<Watcher>();
  readonly #unsubscribe: () => void;
  readonly #beginning: BeginningParts;
  /** The round under way, or the last one, delivers everything up to here. */
  #target: number;
  /** Every round up to here is complete. */
  #settled: number;
  #scheduled = false;
  #closed = false;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#target = options.cache.revision;
    this.#settled = this.#target;
    this.#unsubscribe = options.cache.onAdvance(() => this.#schedule());
    this.#beginning = {
      cache: options.cache,
      target: () => this.#target,
      join: (watcher) => this.#join(watcher),
      expire: (watcher, floor) => this.#expire(watcher, floor),
      sent: (frames) => options.counters.sent(frames),
    };
  }

  /** Watches open. */
  get size(): number {
    return this.#watchers.size;
  }

  /** Starts a watch. Its stream has been opened; from here on it belongs to the hub. */
  open(spec: WatchSpec, sink: WatchSink): void {
    const { clock, limits, counters, log } = this.#options;
    const watcher = new Watcher(spec, sink, {
      clock,
      limits,
      settled: () => this.#settled,
      ended: (ended, reason) => this.#ended(ended, reason),
    });
    counters.opened(spec.resource.name);
    this.#watchers.add(watcher);
    watcher.begin();
    if (this.#closed) watcher.end('shutdown');
    tellBeginning(this.#beginning, watcher).catch((error: unknown) => {
      log.error('a watch failed', { resource: spec.resource.name, error });
      watcher.cut('failed');
    });
  }

  /** Ends every watch in good order and takes no more. */
  close(): void {
    this.#closed = true;
    this.#unsubscribe();
    for (const watcher of this.#watchers) watcher.end('shutdown');
  }

  #join(watcher: Watcher): void {
    watcher.live = true;
    const { name } = watcher.spec.resource;
    let channel = this.#channels.get(name);
    if (channel === undefined) this.#channels.set(name, (channel = new Channel()));
    channel.add(watcher);
    if (watcher.position > this.#options.cache.revision) this.#awaitFuture(watcher);
  }

  /**
   * A revision that does not exist yet may be about to come; one that stays away was never given out by this history, as
   * after a reset, and its watcher would wait for ever: it is told to begin anew.
   */
  #awaitFuture(watcher: Watcher): void {
    const { cache, clock, limits } = this.#options;
    clock.setTimeout(() => {
      if (watcher.position > cache.revision) this.#expire(watcher, cache.revision);
    }, limits.futureRevisionMs);
  }

  #ended(watcher: Watcher, reason: EndReason): void {
    const { name } = watcher.spec.resource;
    this.#watchers.delete(watcher);
    if (watcher.live) this.#channels.get(name)?.remove(watcher);
    this.#options.counters.closed(name, reason);
  }

  #expire(watcher: Watcher, floor: number): void {
    watcher.fail(this.#options.expired(watcher.position, floor));
  }

  /** One round at a time; what comes meanwhile is for the next, which starts when the events at hand have all arrived. */
  #schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#rounds().catch((error: unknown) => {
        this.#options.log.error('delivering watch events failed: every watch is ended', { error });
        for (const watcher of this.#watchers) watcher.cut('failed');
      });
    });
  }

  async #rounds(): Promise<void> {
    try {
      while (this.#target < this.#options.cache.revision && !this.#closed) {
        const from = this.#target;
        this.#target = this.#options.cache.revision;
        await this.#deliver(this.#collect(from, this.#target), from, this.#target);
        this.#settled = this.#target;
      }
    } finally {
      this.#scheduled = false;
    }
  }

  #collect(from: number, to: number): Group[] {
    const touched: Group[] = [];
    for (const cache of this.#options.cache.all()) {
      const channel = this.#channels.get(cache.resource.name);
      if (channel === undefined || channel.watchers === 0 || cache.lastChange <= from) continue;
      if (cache.history.floor > from) this.#overrun(channel, cache.resource, cache.history.floor);
      for (const event of cache.history.between(from, to)) {
        const lines: LineCache = new Map();
        for (const group of channel.touchedBy(event.entry)) {
          const idle = !group.waiting;
          group.take(event, lines);
          if (idle && group.waiting) touched.push(group);
        }
      }
    }
    return touched;
  }

  /** So much changed within one round that history has already forgotten a part of it. */
  #overrun(channel: Channel, resource: Resource, floor: number): void {
    this.#options.log.warn('changes came faster than they could be told: watches are expired', {
      resource: resource.name,
    });
    for (const group of channel.groups()) {
      for (const watcher of group.watchers) if (watcher.position < floor) this.#expire(watcher, floor);
    }
  }

  async #deliver(groups: readonly Group[], from: number, to: number): Promise<void> {
    const { limits, counters } = this.#options;
    let written = 0;
    for (const group of groups) {
      for (const watcher of group.watchers) {
        if (watcher.position >= to) continue;
        const frame = group.frameFor(watcher, from);
        if (frame === undefined) continue;
        watcher.send(frame, to);
        if (++written % limits.watchWritesPerTurn === 0) await nextTurn();
      }
      group.settle();
    }
    counters.sent(written);
  }
}
