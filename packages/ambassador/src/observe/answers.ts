/**
 * Looks at answers as they come: notes what took long, and makes spans of a sampled share. The decision is made when the
 * answer is there, so nothing travels with a command; for all others it costs two comparisons a run.
 */

import { decodeRequest, RequestEvent, RequestScanner } from '@outrigger/core/resp';
import type { Tracer } from '@outrigger/core/tracing';
import type { Command } from '../commands/command.ts';
import type { SessionState } from '../session/state.ts';
import type { Server } from '../upstream/server.ts';
import { Class, Place } from './names.ts';
import type { SlowLog } from './slow-log.ts';
import { traceCommands } from './spans.ts';

/** Requests of one session that left together. */
export interface AnsweredRun {
  /** The requests as sent; incomplete when `streamed`. */
  readonly bytes: readonly Uint8Array[];
  /** One of them was too large to keep. */
  readonly streamed: boolean;
  readonly count: number;
  /** Those just answered included. */
  readonly answered: number;
  readonly sentAtMs: number;
  readonly commandClass: Class;
  readonly place: 'primary' | 'replica' | 'own';
  readonly line: { readonly server: Server };
}

export interface AnswerWatchOptions {
  readonly slowLog: SlowLog;
  readonly tracer: Tracer;
  /** What a request amounts to. */
  readonly commandOf: (args: readonly Buffer[]) => Command;
  readonly wall: () => number;
}

/** A pipeline may be long; its span names the batch by its first commands. */
const maxNamed = 32;

export class AnswerWatch {
  readonly #slowLog: SlowLog;
  readonly #tracer: Tracer;
  readonly #options: AnswerWatchOptions;

  constructor(options: AnswerWatchOptions) {
    this.#options = options;
    this.#slowLog = options.slowLog;
    this.#tracer = options.tracer;
  }

  /** Hot: `answers` requests of `run` have been answered by `bytes`, `tookMs` after it left. */
  answered(
    run: AnsweredRun,
    session: SessionState,
    bytes: Uint8Array,
    answers: number,
    tookMs: number,
  ): void {
    if (this.#slowLog.isSlow(tookMs)) this.#note(run, session, answers, tookMs);
    if (run.answered === run.count && this.#tracer.sampled()) this.#trace(run, session, bytes, tookMs);
  }

  /** Of what arrived together the first was waited for. That a blocking command took long is its purpose. */
  #note(run: AnsweredRun, session: SessionState, answers: number, durationMs: number): void {
    if (run.commandClass === Class.blocking) return;
    const request = run.streamed ? undefined : requests(run, run.answered - answers, 1)[0];
    const command = this.#command(request, session);
    const server = run.line.server.name;
    this.#slowLog.note({ durationMs, wallMs: this.#options.wall(), session, server, command, request });
  }

  #trace(run: AnsweredRun, session: SessionState, bytes: Uint8Array, tookMs: number): void {
    const known = run.streamed ? [undefined] : requests(run, 0, Math.min(run.count, maxNamed));
    traceCommands(this.#tracer, {
      commands: known.map((request) => this.#command(request, session).name),
      count: run.count,
      server: run.line.server,
      peer: undefined,
      place: Place[run.place],
      database: session.identity.database,
      startMs: run.sentAtMs,
      endMs: run.sentAtMs + tookMs,
      error: errorWord(bytes),
    });
  }

  #command(request: Uint8Array | undefined, session: SessionState): Command {
    const args = request === undefined ? [Buffer.from(session.lastCommand)] : decodeRequest(request);
    return this.#options.commandOf(args);
  }
}

/** `count` requests of a run from number `from` (counted from 0) on. */
function requests({ bytes }: AnsweredRun, from: number, count: number): Uint8Array[] {
  const all = bytes.length === 1 ? (bytes[0] as Uint8Array) : Buffer.concat(bytes);
  const scanner = new RequestScanner();
  const found: Uint8Array[] = [];
  for (let at = 0, start = 0, number = 0; found.length < count && at < all.length;) {
    const event = scanner.next(all, at);
    at = scanner.offset;
    if (event === RequestEvent.more) break;
    if (event !== RequestEvent.end) continue;
    if (number++ >= from) found.push(all.subarray(start, at));
    start = at;
  }
  return found;
}

const minus = 0x2d;
const longestWord = 32;

/** `WRONGTYPE` of `-WRONGTYPE Operation …`: by convention the first word of an error is its kind. */
function errorWord(reply: Uint8Array): string | undefined {
  if (reply[0] !== minus) return undefined;
  return /^[A-Z_]+/.exec(Buffer.from(reply.subarray(1, longestWord)).toString('latin1'))?.[0] ?? 'ERR';
}
