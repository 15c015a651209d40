/**
 * A relay before a real server that tampers with one reply when told to: everything else passes untouched, so the
 * ambassador has taken the server for what it is before the server goes wrong.
 */

import { ReplyEvent, ReplyScanner, RequestEvent, RequestScanner } from '@outrigger/core/resp';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Teardown } from '../../../../test/harness/index.ts';

export interface Tampering {
  /** The reply to the first request that holds this text is meant. */
  readonly marker: string;
  /** What is sent instead. */
  readonly replace: (reply: Buffer) => Buffer | string;
  /** Afterwards the connection goes on, says nothing more, or is closed. */
  readonly after: 'goOn' | 'hang' | 'close';
}

export class Relay {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #tampering: Tampering | undefined;

  static async open(t: Teardown, targetPort: number): Promise<Relay> {
    const relay = new Relay(targetPort);
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => {
      relay.#server.close();
      for (const pair of relay.#pairs) pair.close();
    });
    return relay;
  }

  constructor(targetPort: number) {
    this.#server = createServer({ noDelay: true }, (client) => {
      const server = connect({ port: targetPort, host: '127.0.0.1', noDelay: true });
      const pair = new Pair(client, server, (request) => this.#take(request));
      this.#pairs.add(pair);
      client.once('close', () => this.#pairs.delete(pair));
    });
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Once. */
  tamper(tampering: Tampering): void {
    this.#tampering = tampering;
  }

  /** Whether what was asked for has been done. */
  get done(): boolean {
    return this.#tampering === undefined;
  }

  /** Sends bytes nobody has asked for down every connection. */
  inject(bytes: string): void {
    for (const pair of this.#pairs) pair.inject(bytes);
  }

  /** The order, if this request is the one that is meant. */
  #take(request: Buffer): Tampering | undefined {
    const tampering = this.#tampering;
    if (tampering === undefined || !request.includes(tampering.marker)) return undefined;
    this.#tampering = undefined;
    return tampering;
  }
}

class Pair {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #take: (request: Buffer) => Tampering | undefined;
  readonly #requests = new Frames(new RequestScanner());
  readonly #replies = new Frames(new ReplyScanner());
  /** For each request without a reply: what to do with it. */
  readonly #owed: (Tampering | undefined)[] = [];
  #over = false;

  constructor(client: Socket, server: Socket, take: (request: Buffer) => Tampering | undefined) {
    this.#client = client;
    this.#server = server;
    this.#take = take;
    client.on('data', (chunk: Buffer) => this.#up(chunk));
    server.on('data', (chunk: Buffer) => this.#down(chunk));
    for (const socket of [client, server]) {
      socket.on('error', () => this.close());
      socket.on('close', () => this.close());
    }
  }

  inject(bytes: string): void {
    this.#client.write(bytes);
  }

  close(): void {
    this.#client.destroy();
    this.#server.destroy();
  }

  #up(chunk: Buffer): void {
    for (const { event, bytes } of this.#requests.feed(chunk)) {
      if (event === RequestEvent.end) this.#owed.push(this.#take(bytes));
    }
    this.#server.write(chunk);
  }

  #down(chunk: Buffer): void {
    for (const { event, bytes } of this.#replies.feed(chunk)) {
      if (this.#over) return;
      const tampering = event === ReplyEvent.push ? undefined : this.#owed.shift();
      if (tampering === undefined) {
        this.#client.write(bytes);
        continue;
      }
      this.#client.write(tampering.replace(bytes));
      this.#over = tampering.after !== 'goOn';
      if (tampering.after === 'close') this.#client.end();
    }
  }
}

interface Scanner {
  offset: number;
  next(chunk: Uint8Array, from: number): number;
}

/** Cuts a stream into whole requests or replies. */
class Frames {
  readonly #scanner: Scanner;
  #partial: Buffer[] = [];

  constructor(scanner: Scanner) {
    this.#scanner = scanner;
  }

  feed(chunk: Buffer): { event: number; bytes: Buffer }[] {
    const frames: { event: number; bytes: Buffer }[] = [];
    let from = 0;
    let at = 0;
    for (let event; (event = this.#scanner.next(chunk, at)) !== 0; at = this.#scanner.offset) {
      // The name of a request is told before its end.
      const isHead = this.#scanner instanceof RequestScanner && event === RequestEvent.head;
      if (isHead) continue;
      const bytes = Buffer.concat([...this.#partial, chunk.subarray(from, this.#scanner.offset)]);
      frames.push({ event, bytes });
      this.#partial = [];
      from = this.#scanner.offset;
    }
    if (from < chunk.length) this.#partial.push(chunk.subarray(from));
    return frames;
  }
}
