/** A session's reads, shard by shard: what it has seen of each, and which replica it reads from. */

import type { ReadFacts } from '../observe/facts.ts';
import type { Shard } from '../topology/realm.ts';
import type { Policy } from './ports.ts';
import { Reads } from './reads.ts';
import type { Session } from './session.ts';

export class ShardReads {
  readonly #session: Session;
  readonly #reads = new Map<Shard, Reads>();

  constructor(session: Session) {
    this.#session = session;
  }

  of(shard: Shard): Reads {
    let reads = this.#reads.get(shard);
    if (reads === undefined) {
      reads = new Reads(shard, this.#session.context.limits, this);
      // Its data may be that of a shard that is gone, and this session knew how far that was.
      if (this.#forget()) reads.answered('', false);
      this.#reads.set(shard, reads);
    }
    return reads;
  }

  // ---- ReadsOwner

  get ports(): Session['ports'] {
    return this.#session.ports;
  }

  wakeIn(delayMs: number): void {
    this.#session.waiting.wakeIn(delayMs);
  }

  policyFor(shard: Shard): Policy {
    const { context, state } = this.#session;
    const { readPolicy, consistency } = context.routes().policyOf(shard);
    return { readPolicy: state.readPolicy ?? readPolicy, consistency: state.consistency ?? consistency };
  }

  facts(): ReadFacts[] {
    return Array.from(this.#reads, ([shard, reads]) => ({
      shard: shard.name,
      replica: reads.replica?.name,
      fence: reads.fence,
    }));
  }

  end(): void {
    for (const reads of this.#reads.values()) reads.end();
  }

  /** Shards that are no more, since a reload or since a cluster has lost them. True when there were any. */
  #forget(): boolean {
    const { all } = this.#session.context.routes();
    let any = false;
    for (const [shard, reads] of this.#reads) {
      if (all.some(({ shards }) => shards.includes(shard))) continue;
      reads.end();
      this.#reads.delete(shard);
      any = true;
    }
    return any;
  }
}
