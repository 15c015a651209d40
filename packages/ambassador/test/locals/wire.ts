/** A connection to a real server that asks one thing at a time and gives whole frames back. */

import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { encodeCommand, ReplyEvent, ReplyScanner } from '@outrigger/core/resp';
import type { Teardown } from '../../../../test/harness/index.ts';

export class Wire {
  /** How the server sees this end. */
  readonly peer: string;
  readonly #socket: Socket;
  readonly #scanner = new ReplyScanner();
  readonly #replies: Buffer[] = [];
  readonly pushes: Buffer[] = [];
  #rest = Buffer.alloc(0);
  #ended = false;
  #changed: () => void = () => undefined;

  static async open(t: Teardown, port: number): Promise<Wire> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    t.teardown(() => void socket.destroy());
    return new Wire(socket);
  }

  constructor(socket: Socket) {
    this.#socket = socket;
    this.peer = `${socket.localAddress}:${socket.localPort}`;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#ended = true;
      this.#changed();
    });
  }

  get ended(): boolean {
    return this.#ended;
  }

  send(request: Uint8Array): void {
    this.#socket.write(request);
  }

  /** The next reply; rejects when the connection ends before. */
  async reply(): Promise<Buffer> {
    await this.until(() => this.#replies.length > 0 || this.#ended);
    const reply = this.#replies.shift();
    if (reply === undefined) throw new Error('the server closed the connection instead of answering');
    return reply;
  }

  ask(request: Uint8Array): Promise<Buffer> {
    this.send(request);
    return this.reply();
  }

  async say(...words: readonly (string | number)[]): Promise<string> {
    return (await this.ask(encodeCommand(words))).toString('latin1');
  }

  async until(done: () => boolean): Promise<void> {
    while (!done()) await new Promise<void>((resolve) => (this.#changed = resolve));
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    let from = 0;
    for (
      let event = this.#scanner.next(chunk, from);
      event !== ReplyEvent.more;
      event = this.#scanner.next(chunk, from)
    ) {
      const frame = Buffer.concat([this.#rest, chunk.subarray(from, this.#scanner.offset)]);
      (event === ReplyEvent.push ? this.pushes : this.#replies).push(frame);
      this.#rest = Buffer.alloc(0);
      from = this.#scanner.offset;
    }
    this.#rest = Buffer.concat([this.#rest, chunk.subarray(from)]);
    this.#changed();
  }
}
