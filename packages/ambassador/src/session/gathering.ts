/**
 * One command that several shards have to answer: its parts are put in the place of the request and go their way like
 * any other, repeated and redirected where need be; their answers are kept and joined into the one the client gets.
 */

import type { Command } from '../commands/command.ts';
import type { Shard } from '../topology/realm.ts';
import type { Sent } from './sent.ts';
import type { Session } from './session.ts';

export interface GatherPart {
  readonly request: Uint8Array;
  /** Undefined: its key tells. */
  readonly shard: Shard | undefined;
}

const nothing = new Uint8Array(0);

export class Gathering {
  readonly command: Command;
  readonly #session: Session;
  readonly #parts: readonly GatherPart[];
  readonly #join: (replies: readonly Uint8Array[]) => Uint8Array;
  readonly #replies: (Uint8Array | undefined)[];
  readonly #runs: (Sent | undefined)[];
  /** The part that is decided on next. */
  #next = 0;

  constructor(
    session: Session,
    parts: readonly GatherPart[],
    join: (replies: readonly Uint8Array[]) => Uint8Array,
  ) {
    this.command = session.command;
    this.#session = session;
    this.#parts = parts;
    this.#join = join;
    this.#replies = parts.map(() => undefined);
    this.#runs = parts.map(() => undefined);
  }

  /** Its parts are what the session is to decide on now; otherwise their answers are waited for. */
  get asking(): boolean {
    return this.#next < this.#parts.length;
  }

  /** The shard of the part shown; undefined: its key tells. */
  get shard(): Shard | undefined {
    return this.#parts[this.#next]?.shard;
  }

  get requests(): readonly Uint8Array[] {
    return this.#parts.map(({ request }) => request);
  }

  /** The part shown goes out with `run`, alone. */
  sentWith(run: Sent): void {
    run.part = this.#next;
    this.#runs[this.#next++] = run;
  }

  /** Parts from that of `run` on were put back. */
  takenBack(run: Sent): void {
    for (let i = run.part; i < this.#parts.length; i++) this.#runs[i] = this.#replies[i] = undefined;
    this.#next = run.part;
  }

  /** An answer to a part. */
  answered(run: Sent, reply: Uint8Array): void {
    this.#replies[run.part] = reply;
    this.#finish();
  }

  /** The part shown is answered without a server. */
  refused(reply: Uint8Array): void {
    this.#replies[this.#next++] = reply;
    this.#finish();
  }

  #finish(): void {
    if (this.asking || this.#replies.includes(undefined)) return;
    const session = this.#session;
    session.gathering = undefined;
    const joined = this.#join(this.#replies as Uint8Array[]);
    const last = this.#runs.findLast((run) => run !== undefined);
    for (const run of this.#runs) {
      if (run !== undefined) session.ledger.deliver(run, run === last ? joined : nothing, 1);
    }
    if (last === undefined) session.toClient(joined);
  }
}
