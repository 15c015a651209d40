/**
 * Asks the servers of a shard where they are, in rounds: the primary first, then the replicas (topology.ts says why that
 * order); all at once while nobody is the primary. Rounds come by themselves, and sooner when somebody wants one.
 */

import type { Clock, Timer } from '@outrigger/core/clock';
import { Dirty } from '@outrigger/core/lifecycle';
import type { Logger } from '@outrigger/core/log';
import type { AmbassadorLimits } from '../daemon/limits.ts';
import type { Server } from '../upstream/server.ts';
import { paceMs } from './limits.ts';
import type { TopologyLimits } from './limits.ts';
import type { Heard } from './link.ts';
import type { TopologyMetrics } from './metrics.ts';
import type { LiveShard } from './shard.ts';

export interface RoundsOptions {
  readonly shard: LiveShard;
  readonly clock: Clock;
  readonly limits: Pick<AmbassadorLimits, 'pollIntervalMs' | 'roundSpacingMs'> & TopologyLimits;
  readonly maxLagMs: () => number;
  readonly log: Logger;
  readonly metrics: TopologyMetrics;
  readonly ask: (server: Server) => Promise<Heard>;
}

interface Asking {
  /** Once more: its answer may be older than the round. */
  again: boolean;
  readonly done: Promise<void>;
}

export class Rounds {
  readonly #options: RoundsOptions;
  readonly #rounds: Dirty;
  readonly #census: Dirty;
  readonly #asking = new Map<string, Asking>();
  #timer: Timer | undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #started = false;
  #closed = false;

  constructor(options: RoundsOptions) {
    this.#options = options;
    const { clock, limits, log } = options;
    const both = {
      clock,
      minIntervalMs: limits.roundSpacingMs,
      retryMs: limits.pollIntervalMs,
      onError: (error: unknown) => log.error('asking the servers failed', { error }),
    };
    this.#rounds = new Dirty({ ...both, run: () => this.#round() });
    this.#census = new Dirty({ ...both, run: () => void this.#everybody() });
  }

  /** A round soon: at most one every `roundSpacingMs`, however often it is asked for. */
  demand(): void {
    if (!this.#started) return;
    if (this.#options.shard.primary !== undefined) {
      this.#rounds.mark();
      return;
    }
    // A round may still be waiting for the primary of before.
    this.#census.mark();
    this.#keepTimeIn(this.#intervalMs());
  }

  /** Resolves when every server has answered or failed, and the replicas once more after the primary. */
  async start(): Promise<void> {
    await this.#everybody();
    await this.#round();
    await Promise.all([...this.#asking.values()].map(({ done }) => done));
    this.#started = true;
    this.#keepTime();
  }

  /** One server, now; resolves when it has answered or failed. What it says proves nothing of its data. */
  look(server: Server): Promise<void> {
    return this.#ask(server);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#rounds.close();
    this.#census.close();
  }

  #keepTime(): void {
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#options.shard.tick();
    this.demand();
    this.#keepTimeIn(this.#intervalMs());
  }

  /** Then, or sooner if that has been settled already. */
  #keepTimeIn(delayMs: number): void {
    const { clock } = this.#options;
    if (this.#closed || this.#dueMs <= clock.now() + delayMs) return;
    this.#timer?.cancel();
    this.#dueMs = clock.now() + delayMs;
    this.#timer = clock.setTimeout(() => this.#keepTime(), delayMs);
  }

  #intervalMs(): number {
    const { clock, shard, limits, maxLagMs } = this.#options;
    // Several rounds within max-lag, or a replica that keeps up would look too old between two of them.
    const steady = Math.min(limits.pollIntervalMs, maxLagMs() / 4);
    return paceMs(shard.absentMs(clock.now()), steady, limits);
  }

  async #round(): Promise<void> {
    const { shard, clock, metrics, ask } = this.#options;
    const { primary } = shard.questions();
    if (primary !== undefined) {
      metrics.round();
      const round = shard.topology.beginRound();
      const sentAtMs = clock.now();
      const heard = await ask(primary);
      if (this.#closed) return;
      shard.heardInRound(round, sentAtMs, primary.name, heard);
    }
    for (const server of shard.questions().others) void this.#ask(server);
  }

  async #everybody(): Promise<void> {
    const { primary, others } = this.#options.shard.questions();
    const all = primary === undefined ? others : [primary, ...others];
    await Promise.all(all.map((server) => this.#ask(server)));
  }

  /** Asks now, or once more after the question that is out. */
  #ask(server: Server): Promise<void> {
    const asking = this.#asking.get(server.name);
    if (asking !== undefined) {
      asking.again = true;
      return asking.done;
    }
    const entry: Asking = { again: false, done: this.#hear(server) };
    this.#asking.set(server.name, entry);
    return entry.done;
  }

  async #hear(server: Server): Promise<void> {
    const { ask, shard } = this.#options;
    const heard = await ask(server);
    const again = this.#asking.get(server.name)?.again === true;
    this.#asking.delete(server.name);
    if (this.#closed) return;
    shard.heard(server.name, heard);
    if (again) await this.#ask(server);
  }
}
