/** Clients that write and read through an ambassador, like apps that never look back, and note all they are told. */

import type { Random } from '@outrigger/core/clock';
import { entry } from './history.ts';
import type { Action, Op, Via } from './history.ts';
import { frame, Wire } from './wire.ts';

export interface LoadOptions {
  readonly port: number;
  readonly random: Random;
  /** Each appends to keys of its own, and reads its own and others'. */
  readonly writers: number;
  /** They only read. */
  readonly readers: number;
  /** Where writers go instead: past the ambassador, so that it learns of writes from reads alone. */
  readonly writersPort?: number;
  /** Keys of each writer. Default 2. */
  readonly keys?: number;
  /** Commands a client may send before it waits for their answers. Default 4. */
  readonly depth?: number;
  /** Between two pipelines of a client. Default 2. */
  readonly pauseMs?: number;
  /** Appended to each client's name when it connects, as `#eventual`. Default: it has no name. */
  readonly name?: string;
  /** In which ways entries are written. Default: all. */
  readonly via?: readonly Via[];
}

export interface Load {
  readonly history: readonly Op[];
  readonly keys: readonly string[];
  /** Whether a session is one of a client that only reads. */
  isReader(session: number): boolean;
  /** Resolves when this many more commands have been answered, rightly or not. */
  progress(answers: number): Promise<void>;
  /** Lets every client finish its pipeline, at most for so long (default 5 000), and closes them. */
  stop(withinMs?: number): Promise<readonly Op[]>;
}

const RECONNECT_MS = 10;
const APPEND_SCRIPT = "return redis.call('RPUSH', KEYS[1], ARGV[1])";

/** The list a writer appends to. In a cluster, each is in a slot of its own. */
export function keyOf(writer: number, index: number): string {
  return `list:${writer}.${index}`;
}

export function startLoad(options: LoadOptions): Load {
  return new Clients(options);
}

class Clients implements Load {
  readonly history: Op[] = [];
  readonly keys: readonly string[];
  readonly #options: LoadOptions;
  readonly #over = new AbortController();
  readonly #wires = new Set<Wire>();
  readonly #readers = new Set<number>();
  readonly #running: Promise<unknown>;
  readonly #waiting = new Set<{ left: number; resolve: () => void }>();
  readonly #seqs = new Map<string, number>();
  #sessions = 0;
  #words = 0;

  constructor(options: LoadOptions) {
    const { writers, readers, keys = 2 } = options;
    this.#options = options;
    const owned = (writer: number): string[] => Array.from({ length: keys }, (_, i) => keyOf(writer, i));
    this.keys = Array.from({ length: writers }, (_, writer) => owned(writer)).flat();
    this.#running = Promise.all([
      ...Array.from({ length: writers }, (_, writer) => this.#client(owned(writer))),
      ...Array.from({ length: readers }, () => this.#client([])),
    ]);
  }

  isReader(session: number): boolean {
    return this.#readers.has(session);
  }

  progress(answers: number): Promise<void> {
    return new Promise((resolve) => this.#waiting.add({ left: answers, resolve }));
  }

  async stop(withinMs = 5_000): Promise<readonly Op[]> {
    this.#over.abort();
    const insist = setTimeout(() => {
      for (const wire of this.#wires) wire.destroy();
    }, withinMs);
    await this.#running;
    clearTimeout(insist);
    return this.history;
  }

  async #client(own: readonly string[]): Promise<void> {
    const { port, writersPort = port } = this.#options;
    while (!this.#over.signal.aborted) {
      let wire: Wire;
      try {
        wire = await Wire.open(own.length > 0 ? writersPort : port);
      } catch {
        // The ambassador itself may be restarting; whether it may is for the test to say.
        await pause(RECONNECT_MS);
        continue;
      }
      this.#wires.add(wire);
      await this.#session(wire, own);
      wire.destroy();
      this.#wires.delete(wire);
      await pause(RECONNECT_MS);
    }
  }

  async #session(wire: Wire, own: readonly string[]): Promise<void> {
    const { depth = 4, pauseMs = 2, name, random } = this.#options;
    const session = ++this.#sessions;
    if (own.length === 0) this.#readers.add(session);
    if (name !== undefined) {
      wire.send(frame('CLIENT', 'SETNAME', name));
      await wire.take(1);
    }
    while (!wire.ended && !this.#over.signal.aborted) {
      const actions = Array.from({ length: 1 + below(random, depth) }, () => this.#choose(own));
      await this.#pipeline(wire, session, actions);
      await pause(pauseMs);
    }
  }

  #choose(own: readonly string[]): Action {
    const { random, via = ['plain', 'plain', 'plain', 'transaction', 'script'] } = this.#options;
    const dice = random.next();
    // Who only reads asks nothing that takes a primary to answer.
    if (own.length === 0 || dice > 0.8) return { kind: 'last', key: pick(random, this.keys) };
    if (dice < 0.05) return { kind: 'echo', word: `word-${++this.#words}` };
    const key = pick(random, own);
    if (dice > 0.45) return { kind: 'last', key };
    const seq = this.#seqs.get(key) ?? 0;
    this.#seqs.set(key, seq + 1);
    return { kind: 'append', key, seq, via: pick(random, via) };
  }

  async #pipeline(wire: Wire, session: number, actions: readonly Action[]): Promise<void> {
    const sentAt = performance.now();
    const ops = actions.map((action): Op => ({ action, session, sentAt, reply: undefined, answeredAt: 0 }));
    this.history.push(...ops);
    wire.send(actions.map((action) => requestOf(action)).join(''));
    for (const op of ops) {
      op.reply = await wire.take(repliesOf(op.action));
      op.answeredAt = performance.now();
      this.#answered();
    }
  }

  #answered(): void {
    for (const one of this.#waiting) {
      if (--one.left > 0) continue;
      this.#waiting.delete(one);
      one.resolve();
    }
  }
}

function requestOf(action: Action): string {
  if (action.kind === 'echo') return frame('ECHO', action.word);
  if (action.kind === 'last') return frame('LINDEX', action.key, '-1');
  const text = entry(action.key, action.seq);
  const plain = frame('RPUSH', action.key, text);
  if (action.via === 'script') return frame('EVAL', APPEND_SCRIPT, '1', action.key, text);
  return action.via === 'transaction' ? frame('MULTI') + plain + frame('EXEC') : plain;
}

function repliesOf(action: Action): number {
  return action.kind === 'append' && action.via === 'transaction' ? 3 : 1;
}

function below(random: Random, limit: number): number {
  return Math.floor(random.next() * limit);
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[below(random, from.length)] as T;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
