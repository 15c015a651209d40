/**
 * A session's connection to one server: dialled, logged in, and asked who it is, before any byte of the client.
 *
 * `INFO server` gives the `run_id` of the process that was reached, which is what proofs of replication are about
 * (topology.ts). Where the user may not ask, the process stays unknown, and with `--consistency session` only the
 * primary serves such a session once it has had an answer.
 */

import type { Clock } from '@outrigger/core/clock';
import { errorCode } from '@outrigger/core/errors';
import type { Net } from '@outrigger/core/net';
import { encodeCommand, ReplyDecoder } from '@outrigger/core/resp';
import type { RespValue } from '@outrigger/core/resp';
import type { Socket } from 'node:net';
import { authCommand } from './credentials.ts';
import type { Credentials } from './credentials.ts';
import { dial, readyEvent } from './dial.ts';
import { infoField } from '../topology/info.ts';
import type { Server } from './server.ts';

export interface UpstreamEvents {
  /** Ready for commands. `runId` is '' when the server does not tell. */
  open(runId: string): void;
  /** Bytes of answers. */
  data(chunk: Buffer): void;
  /** The socket's buffer has emptied. */
  drained(): void;
  /** Failed or closed, once; not after `destroy`. */
  lost(why: string): void;
}

export interface UpstreamOptions {
  readonly server: Server;
  readonly credentials: Credentials | undefined;
  readonly net: Net;
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
  readonly events: UpstreamEvents;
}

const whoAreYou = encodeCommand(['INFO', 'server']);
/** The connection is good, only this question is not allowed. Anything else turns the connection away: too many clients, say. */
const mayNotAsk = /^(NOAUTH|NOPERM|ERR unknown command)/;

export class Upstream {
  readonly socket: Socket;
  readonly #options: UpstreamOptions;
  readonly #timer;
  readonly #onData: (chunk: Buffer) => void;
  #decoder: ReplyDecoder | undefined = new ReplyDecoder();
  #greetings: RespValue[] = [];
  #over = false;
  #failure = 'closed by the server';

  constructor(options: UpstreamOptions) {
    this.#options = options;
    const { server, net, clock, connectTimeoutMs, events } = options;
    this.socket = dial(server, net);
    this.#onData = (chunk) => {
      if (this.#decoder === undefined) events.data(chunk);
      else this.#greeted(chunk);
    };
    this.#timer = clock.setTimeout(() => this.#fail('ETIMEDOUT'), connectTimeoutMs);
    this.socket.once(readyEvent(server), () => this.#greet());
    this.socket.on('data', this.#onData);
    this.socket.on('drain', () => events.drained());
    this.socket.on('error', (error) => (this.#failure = errorCode(error)));
    this.socket.once('end', () => this.#fail(this.#failure));
    this.socket.once('close', () => this.#fail(this.#failure));
  }

  /** Ends it without a word to the events. */
  destroy(): void {
    this.#over = true;
    this.#timer.cancel();
    this.socket.destroy();
  }

  /** The socket as it is, for a splice: nothing here listens to it any longer. */
  release(): Socket {
    this.#over = true;
    this.socket.off('data', this.#onData);
    this.socket.removeAllListeners('drain');
    this.socket.removeAllListeners('end');
    return this.socket;
  }

  #greet(): void {
    const { credentials } = this.#options;
    if (credentials !== undefined) this.socket.write(authCommand(credentials));
    this.socket.write(whoAreYou);
  }

  #greeted(chunk: Buffer): void {
    try {
      this.#greetings.push(...(this.#decoder as ReplyDecoder).push(chunk));
    } catch (error) {
      this.#fail((error as Error).message);
      return;
    }
    const expected = this.#options.credentials === undefined ? 1 : 2;
    const [first] = this.#greetings;
    if (expected === 2 && first?.type === 'error') this.#fail(`it refused our login: ${first.text}`);
    else if (this.#greetings.length >= expected) this.#ready(this.#greetings[expected - 1] as RespValue);
  }

  #ready(info: RespValue): void {
    if (info.type === 'error' && !mayNotAsk.test(info.text)) {
      this.#fail(info.text);
      return;
    }
    this.#timer.cancel();
    this.#decoder = undefined;
    this.#greetings = [];
    this.#options.events.open(info.type === 'bulk' ? (infoField(info.bytes.toString(), 'run_id') ?? '') : '');
  }

  #fail(why: string): void {
    if (this.#over) return;
    this.destroy();
    this.#options.events.lost(why);
  }
}
