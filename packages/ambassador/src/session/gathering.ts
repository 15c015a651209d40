/**
 * One command that several shards have to answer: its parts are put in the place of the request and go their way like
 * any other; their answers are kept and joined into the one the client gets.
 *
 * Parts are about different keys, so each is redirected and asked again by itself, whatever has become of the others.
 * Nothing else is owed meanwhile: neither what was sent before, for which it waits, nor what comes behind.
 */

import type { Command } from '../commands/command.ts';
import { takeMuted } from '../locals/mute.ts';
import type { Shard } from '../topology/realm.ts';
import type { Plan } from './repeats.ts';
import type { Sent } from './sent.ts';
import type { Session } from './session.ts';

export interface GatherPart {
  readonly request: Uint8Array;
  /** Undefined: its key tells. */
  readonly shard: Shard | undefined;
}

/** A part that is to be asked, and how. */
interface Turn {
  readonly part: number;
  readonly plan: Plan;
}

const nothing = new Uint8Array(0);

export class Gathering {
  readonly command: Command;
  /** The client does not want the answer. */
  readonly mute: boolean;
  readonly #session: Session;
  readonly #parts: readonly GatherPart[];
  readonly #join: (replies: readonly Uint8Array[]) => Uint8Array;
  readonly #replies: (Uint8Array | undefined)[];
  readonly #runs: (Sent | undefined)[];
  /** How often each part was asked in vain. */
  readonly #attempts: number[];
  readonly #sinceMs: number;
  /** Parts in the order in which the feed has them. */
  readonly #turns: Turn[];

  constructor(
    session: Session,
    parts: readonly GatherPart[],
    join: (replies: readonly Uint8Array[]) => Uint8Array,
  ) {
    this.command = session.command;
    this.mute = takeMuted(session.state);
    this.#session = session;
    this.#parts = parts;
    this.#join = join;
    this.#replies = parts.map(() => undefined);
    this.#runs = parts.map(() => undefined);
    this.#attempts = parts.map(() => 0);
    this.#sinceMs = session.ports.now();
    this.#turns = parts.map((_, part) => ({ part, plan: {} }));
  }

  /** Its parts are what the session is to decide on now; otherwise their answers are waited for. */
  get asking(): boolean {
    return this.#turns.length > 0;
  }

  /** The shard of the part shown; undefined: its key tells. */
  get shard(): Shard | undefined {
    return this.#parts[this.#turns[0]?.part ?? -1]?.shard;
  }

  get requests(): readonly Uint8Array[] {
    return this.#parts.map(({ request }) => request);
  }

  /** What has come of asking for the part so far. */
  tried(run: Sent): { readonly attempts: number; readonly sinceMs: number } {
    return { attempts: this.#attempts[run.part] as number, sinceMs: this.#sinceMs };
  }

  /** The part shown goes out with `run`, alone. */
  sentWith(run: Sent): void {
    const { part } = this.#turns.shift() as Turn;
    run.part = part;
    this.#runs[part] = run;
    this.#show();
  }

  /** The part of `run` has come to nothing and is asked for again, before those that are still to be asked. */
  again(run: Sent, plan: Plan): void {
    const { part } = run;
    const { ledger, feed } = this.#session;
    (this.#attempts[part] as number)++;
    this.#runs[part] = undefined;
    ledger.deliver(run, nothing, 1);
    this.#turns.unshift({ part, plan });
    feed.putBack([(this.#parts[part] as GatherPart).request]);
    this.#show();
  }

  /** An answer to a part. */
  answered(run: Sent, reply: Uint8Array): void {
    this.#replies[run.part] = reply;
    this.#finish();
  }

  /** The part shown is answered without a server. */
  refused(reply: Uint8Array): void {
    this.#replies[(this.#turns.shift() as Turn).part] = reply;
    this.#show();
    // What it has waited for is no reason to be short with the next command.
    if (!this.asking) this.#session.waiting.over();
    this.#finish();
  }

  #show(): void {
    this.#session.repeats.use(this.#turns[0]?.plan ?? {});
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
    if (last === undefined && !this.mute) session.toClient(joined);
  }
}
