/**
 * The promise of `--consistency session`: a client reads its own writes, and never sees time run backwards.
 *
 * The rule is one sentence: a session may read from a replica only if that replica has applied everything the session
 * has been shown by anyone else. Reading one's writes follows (the write's answer was shown by the primary), and so do
 * monotonic reads (moving from one server to another needs proof). What was shown is remembered as a fence, one number;
 * see topology.ts for what it is compared with. A replica that gave the last answer itself needs no proof: the data of
 * one process only moves forward, unless it was replaced by another server's. Whenever a process of the shard turns up
 * in a history that does not continue its last one, everybody needs proof anew.
 *
 * After a failover a proof asks the new primary: whoever reads at a replica that covers one of its rounds reads at least
 * what the primary itself would have shown at that moment. What the old primary acknowledged and nobody else had is lost,
 * there and here.
 *
 * The promise covers one client connection. Two connections of the same application are two sessions.
 */

import { ReadPath } from '../observe/names.ts';
import type { Replica, Topology } from './topology.ts';

export class ReadGuard {
  readonly #topology: Topology;
  #fence = -1;
  /** The run_id of whoever gave the last answer; undefined before the first, '' when it is not known. */
  #home: string | undefined;
  /** `topology.breaks` at that time. */
  #breaks = 0;
  /** The run_id of the primary this session has had answers from; undefined when there were none. */
  #primary: string | undefined;

  constructor(topology: Topology) {
    this.#topology = topology;
  }

  /** Rounds that had been sent when the last answer came; −1: there was none. */
  get fence(): number {
    return this.#fence;
  }

  /** An answer has been received from the process `runId`. */
  answered(runId: string, isPrimary: boolean): void {
    this.#fence = this.#topology.sent;
    this.#home = runId;
    this.#breaks = this.#topology.breaks;
    if (isPrimary) this.#primary = runId;
  }

  /** Whether a read at this replica keeps the promise. */
  allows(replica: Replica): boolean {
    if (!this.#topology.inherited(replica)) return false;
    if (this.#home === undefined) return true;
    if (replica.runId === undefined) return false;
    if (this.#isHome(replica)) return true;
    return replica.covered > this.#fence && this.#samePrimary();
  }

  /** What allowed it. */
  pathTo(replica: Replica): ReadPath {
    if (this.#home === undefined) return ReadPath.first;
    return this.#isHome(replica) ? ReadPath.home : ReadPath.proven;
  }

  /** It gave the last answer, and no data has been replaced since. */
  #isHome(replica: Replica): boolean {
    return this.#home === replica.runId && this.#breaks === this.#topology.breaks;
  }

  /** The rounds are proof only if they asked the process that answered the session, or one that took its place. */
  #samePrimary(): boolean {
    const answered = this.#primary;
    return (
      answered === undefined ||
      answered === this.#topology.primary.runId ||
      this.#topology.succeeded(answered)
    );
  }
}
