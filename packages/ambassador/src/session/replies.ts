/** A server's bytes, as answers counted: what of them may go to the client, and how many answers that completes. */

import { ReplyEvent, ReplyScanner, RespError } from '@outrigger/core/resp';

/**
 * Errors with which a replica turns a read away before executing it: it is loading, or has lost its primary and may not
 * serve stale data. The client never sees them, since another server can answer.
 */
const rejections = ['LOADING ', 'MASTERDOWN '] as const;

const minus = 0x2d;

export class ReplyStream {
  /** Of the last chunk: bytes for the client. */
  deliver: Uint8Array = new Uint8Array(0);
  /** Answers these bytes complete. */
  answers = 0;
  /** The error of a replica that turned a read away; it and what follows are not in `deliver`. */
  rejection: string | undefined;

  readonly #scanner = new ReplyScanner();
  readonly #watchRejections: boolean;
  /** An error line that is not complete yet, and so not delivered. */
  #held: Uint8Array | undefined;
  #delivering = false;

  constructor(watchRejections: boolean) {
    this.#watchRejections = watchRejections;
  }

  /** The client has a part of an answer: nothing but the rest of it may follow. */
  get midReply(): boolean {
    return this.#delivering;
  }

  /** Reads a chunk of a server that owes `owed` answers. Tells what is wrong with it; then the rest here means nothing. */
  read(received: Uint8Array, owed: number): string | undefined {
    if (owed === 0) return 'it sent an answer nobody asked for';
    try {
      this.#read(received);
    } catch (error) {
      if (error instanceof RespError) return `it does not speak RESP: ${error.message}`;
      throw error;
    }
    return this.answers > owed ? 'it sent more answers than were asked for' : undefined;
  }

  #read(received: Uint8Array): void {
    const chunk = this.#held === undefined ? received : Buffer.concat([this.#held, received]);
    let at = this.#held?.length ?? 0;
    // A held line has been scanned already, up to where it stopped.
    let from = this.#held === undefined && !this.#scanner.between ? -1 : 0;
    this.#held = undefined;
    this.answers = 0;
    this.rejection = undefined;
    for (;;) {
      const event = this.#scanner.next(chunk, at);
      at = this.#scanner.offset;
      if (event === ReplyEvent.more) break;
      if (event === ReplyEvent.push) {
        from = at;
        continue;
      }
      if (this.#isError(chunk, from) && this.#rejected(chunk, from, at)) return;
      this.answers++;
      from = at;
    }
    this.#settle(chunk, from);
  }

  #isError(chunk: Uint8Array, from: number): boolean {
    return this.#watchRejections && from >= 0 && chunk[from] === minus;
  }

  #rejected(chunk: Uint8Array, from: number, to: number): boolean {
    const text = Buffer.from(chunk.subarray(from + 1, to - 2)).toString('latin1');
    if (!rejections.some((prefix) => text.startsWith(prefix))) return false;
    this.rejection = text;
    this.deliver = chunk.subarray(0, from);
    this.#delivering = false;
    return true;
  }

  #settle(chunk: Uint8Array, from: number): void {
    const unfinished = !this.#scanner.between;
    const holds = unfinished && this.#isError(chunk, from);
    this.deliver = holds ? chunk.subarray(0, from) : chunk;
    if (holds) this.#held = Buffer.from(chunk.subarray(from));
    this.#delivering = unfinished && !holds;
  }
}
