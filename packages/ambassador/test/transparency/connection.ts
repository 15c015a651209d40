/** A connection that sends bytes and hands back whole frames, never waiting for ever. */

import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { frameEnd } from './frames.ts';

/** Longer than any program takes, so that a reply that never comes is told from a slow machine. */
export const PATIENCE_MS = 3_000;

export const closedMark = '(closed)';
export const missingMark = '(nothing more came)';

export class Connection {
  readonly #socket: Socket;
  readonly #frames: string[] = [];
  #rest = '';
  #ended = false;
  #changed: () => void = () => {};

  static async to(port: number): Promise<Connection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new Connection(socket);
  }

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => this.#received(text));
    // A reset is an end like any other here; 'close' follows.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#ended = true;
      this.#changed();
    });
  }

  get ended(): boolean {
    return this.#ended;
  }

  send(bytes: string): void {
    if (!this.#ended) this.#socket.write(bytes, 'latin1');
  }

  /** The next `count` frames; fewer and a mark when the connection ends before, or nothing comes for too long. */
  async frames(count: number): Promise<string[]> {
    const inTime = await this.#until(() => this.#frames.length >= count || this.#ended);
    const frames = this.#frames.splice(0, count);
    if (frames.length === count) return frames;
    return [...frames, inTime ? closedMark : `${missingMark}${this.#rest}`];
  }

  /** Every byte up to the end of the connection, then the mark of how it ended. */
  async remainder(): Promise<string> {
    const inTime = await this.#until(() => this.#ended);
    const bytes = this.#frames.splice(0).join('') + this.#rest;
    return bytes + (inTime ? closedMark : missingMark);
  }

  async ask(...args: string[]): Promise<string> {
    this.send(encode(args));
    return (await this.frames(1)).join('');
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #received(text: string): void {
    this.#rest += text;
    let from = 0;
    for (let end = frameEnd(this.#rest, 0); end > 0; end = frameEnd(this.#rest, from)) {
      this.#frames.push(this.#rest.slice(from, end));
      from = end;
    }
    this.#rest = this.#rest.slice(from);
    this.#changed();
  }

  /** False when it did not happen within `PATIENCE_MS`. */
  async #until(done: () => boolean): Promise<boolean> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#changed();
    }, PATIENCE_MS);
    while (!done() && !late) await new Promise<void>((resolve) => (this.#changed = resolve));
    clearTimeout(timer);
    return done();
  }
}

/** A request the way client libraries write it. */
export function encode(args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`;
}
