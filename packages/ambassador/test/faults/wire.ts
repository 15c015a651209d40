/** A client that speaks raw bytes: sends what it is given, counts whole replies, and never hides an ending. */

import { ReplyEvent, ReplyScanner } from '@outrigger/core/resp';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Teardown } from '../../../../test/harness/index.ts';

/** A request as RESP. Arguments are latin1. */
export function frame(...args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`;
}

export class Wire {
  readonly socket: Socket;
  readonly #scanner = new ReplyScanner();
  readonly #replies: string[] = [];
  readonly #keep: boolean;
  #partial: Buffer[] = [];
  #received = '';
  #bytes = 0;
  #ended = false;
  #broken = false;
  readonly #waiting: (() => void)[] = [];

  /** `t` closes it in the end. `keep` all bytes, whether they are replies or not, to compare them. */
  static async open(port: number, { t, keep = false }: { t?: Teardown; keep?: boolean } = {}): Promise<Wire> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    t?.teardown(() => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new Wire(socket, keep);
  }

  constructor(socket: Socket, keep: boolean) {
    this.socket = socket;
    this.#keep = keep;
    socket.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length;
      if (keep) this.#received += chunk.toString('latin1');
      this.#scan(chunk);
      this.#wake();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** Everything received, when it was opened to keep it. */
  get received(): string {
    if (!this.#keep) throw new Error('opened without `keep`');
    return this.#received;
  }

  /** How many bytes have been received. */
  get bytes(): number {
    return this.#bytes;
  }

  get ended(): boolean {
    return this.#ended;
  }

  send(text: string | Uint8Array): void {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
  }

  /** The next `count` replies together; undefined when the connection ends before, and ever after. */
  async take(count: number): Promise<string | undefined> {
    while (this.#replies.length < count && !this.#ended) await this.changed();
    const taken = this.#replies.splice(0, count);
    if (taken.length === count) return taken.join('');
    // Those there are belong to these, so whoever asks for the next must not get them.
    return undefined;
  }

  /** One command, one reply; rejects when the connection ends before. */
  async ask(...args: readonly string[]): Promise<string> {
    this.send(frame(...args));
    const reply = await this.take(1);
    if (reply === undefined) throw new Error(`the connection ended before ${args[0]} was answered`);
    return reply;
  }

  async closed(): Promise<void> {
    while (!this.#ended) await this.changed();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Resolves when bytes have come or the connection has ended. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #scan(chunk: Buffer): void {
    let from = 0;
    // What is no RESP is only kept: whoever sends garbage compares bytes.
    while (!this.#broken && this.#next(chunk, from)) {
      const end = this.#scanner.offset;
      this.#replies.push(Buffer.concat([...this.#partial, chunk.subarray(from, end)]).toString('latin1'));
      this.#partial = [];
      from = end;
    }
    if (from < chunk.length && !this.#broken) this.#partial.push(chunk.subarray(from));
  }

  #next(chunk: Buffer, from: number): boolean {
    try {
      return this.#scanner.next(chunk, from) !== ReplyEvent.more;
    } catch {
      this.#broken = true;
      return false;
    }
  }
}
