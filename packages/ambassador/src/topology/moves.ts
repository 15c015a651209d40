/**
 * Which shards of a cluster give slots away: their reads stay at their primaries.
 *
 * While a slot moves key by key, its old owner sends whoever asks for a key that has gone to the new one (`-ASK`). Its
 * replicas do not: for them the key is gone, and that is what they answer. Slots follow one another within milliseconds,
 * so to know of each in time is out of reach; to know of the first is not. So from the first sign on, and for a while
 * after the last, no replica of the shard is read. Signs are what its primary says of its slots when asked, every
 * `slotMarksMs` while its replicas are read; an importing node that names it; an `-ASK` of it; and a slot of it that turns
 * out to be another shard's.
 */

import type { Clock, Timer } from '@outrigger/core/clock';
import type { Logger } from '@outrigger/core/log';
import type { AmbassadorLimits } from '../daemon/limits.ts';
import type { Server } from '../upstream/server.ts';
import { readOwnSlots } from './cluster-marks.ts';
import type { OwnSlots } from './cluster-marks.ts';
import { explain } from './connect.ts';
import type { LiveShard } from './shard.ts';

/** A shard that may give slots away. */
export interface Giver {
  readonly shard: LiveShard;
  /** Its primary, as the cluster calls it. */
  readonly primary: { readonly id: string };
}

export interface MovesOptions<G extends Giver> {
  readonly clock: Clock;
  readonly limits: Pick<AmbassadorLimits, 'pollIntervalMs' | 'slotMarksMs' | 'movingHoldMs'>;
  readonly log: Logger;
  readonly givers: () => readonly G[];
  /** Its answer to `CLUSTER NODES`. */
  readonly ask: (server: Server) => Promise<string>;
  /** Whether commands are sent to the shard for slots it does not have. */
  readonly lacks: (giver: G, slots: OwnSlots) => boolean;
  /** A shard lacks slots: others have them. */
  readonly onLack: () => void;
}

interface Watched {
  asking: boolean;
  askedAtMs: number;
  /** Reads its replicas had answered then. */
  reads: number;
  /** No replica is read before. */
  untilMs: number;
  /** Why it could not be asked. */
  problem: string;
}

export class Moves<G extends Giver> {
  readonly #options: MovesOptions<G>;
  readonly #watched = new WeakMap<LiveShard, Watched>();
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: MovesOptions<G>) {
    this.#options = options;
  }

  /** Resolves when every primary has been asked once. */
  async start(): Promise<void> {
    await Promise.all(this.#options.givers().map((giver) => this.#ask(giver)));
    this.#keepTime();
  }

  /** A sign that the shard gives slots away. */
  seen({ shard }: G): void {
    const { clock, limits, log } = this.#options;
    this.#of(shard).untilMs = clock.now() + limits.movingHoldMs;
    if (shard.moving) return;
    shard.moving = true;
    log.info('slots move: reads go to the primary', { shard: shard.name });
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #keepTime(): void {
    const { clock, limits } = this.#options;
    if (this.#closed) return;
    this.#timer = clock.setTimeout(() => {
      this.#tick();
      this.#keepTime();
    }, limits.slotMarksMs);
  }

  #tick(): void {
    const { clock, limits, log, givers } = this.#options;
    const now = clock.now();
    for (const giver of givers()) {
      const { shard } = giver;
      const watched = this.#of(shard);
      if (shard.moving && now >= watched.untilMs) {
        shard.moving = false;
        log.info('no slots move any more', { shard: shard.name });
      }
      const due = now >= watched.askedAtMs + limits.pollIntervalMs;
      if (due || shard.moving || shard.topology.reads !== watched.reads) void this.#ask(giver);
    }
  }

  async #ask(giver: G): Promise<void> {
    const { clock, log, ask } = this.#options;
    const { shard } = giver;
    const watched = this.#of(shard);
    const { primary } = shard;
    if (primary === undefined || watched.asking || !shard.topology.anyEligible) return;
    watched.asking = true;
    watched.askedAtMs = clock.now();
    watched.reads = shard.topology.reads;
    try {
      const slots = readOwnSlots(await ask(primary));
      if (slots !== undefined && !this.#closed) this.#told(giver, slots);
      watched.problem = '';
    } catch (error) {
      // Whether it lives is for the rounds to say; that it may not be asked is told once.
      const why = explain(error);
      if (why !== watched.problem)
        log.debug('a primary does not tell its slots', { server: primary.name, why });
      watched.problem = why;
    } finally {
      watched.asking = false;
    }
  }

  #told(giver: G, slots: OwnSlots): void {
    const { givers, lacks, onLack } = this.#options;
    const lacking = lacks(giver, slots);
    if (slots.gives || lacking) this.seen(giver);
    if (lacking) onLack();
    for (const id of slots.takesFrom) {
      const source = givers().find(({ primary }) => primary.id === id);
      if (source !== undefined) this.seen(source);
    }
  }

  #of(shard: LiveShard): Watched {
    let watched = this.#watched.get(shard);
    if (watched === undefined) {
      watched = { asking: false, askedAtMs: Number.NEGATIVE_INFINITY, reads: 0, untilMs: 0, problem: '' };
      this.#watched.set(shard, watched);
    }
    return watched;
  }
}
