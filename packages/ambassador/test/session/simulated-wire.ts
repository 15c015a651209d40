/** A connection of the simulation: requests and answers that are on their way until a step moves them. */

import {
  decodeReply,
  decodeRequest,
  ReplyEvent,
  ReplyScanner,
  RequestEvent,
  RequestScanner,
} from '@outrigger/core/resp';
import type { Random } from '@outrigger/core/clock';
import type { Wire, WireEvents } from '../../src/upstream/wire.ts';
import type { Identity } from '../../src/session/state.ts';
import { greeting } from './simulated-redis.ts';
import type { Peer, SimulatedRedis } from './simulated-redis.ts';

export class SimulatedWire implements Wire {
  readonly redis: SimulatedRedis;
  /** Undefined until it is open. */
  peer: Peer | undefined;
  over = false;
  readonly unsent = 0;
  readonly #events: WireEvents;
  readonly #identity: Identity;
  readonly #readonly: boolean;
  readonly #random: Random;
  /** It ended with half an answer. */
  readonly #onHalf: () => void;
  /** The memory of what it has received. */
  readonly #received: WeakSet<ArrayBufferLike>;
  readonly #delivered = new ReplyScanner();
  #requests = Buffer.alloc(0);
  #answers = '';
  #paused = false;
  #full = false;

  constructor(
    redis: SimulatedRedis,
    events: WireEvents,
    identity: Identity,
    readonly: boolean,
    random: Random,
    onHalf: () => void,
    received: WeakSet<ArrayBufferLike>,
  ) {
    this.redis = redis;
    this.#events = events;
    this.#identity = identity;
    this.#readonly = readonly;
    this.#random = random;
    this.#onHalf = onHalf;
    this.#received = received;
  }

  get open(): boolean {
    return this.peer !== undefined && !this.over;
  }

  // ---- Wire

  write(pieces: readonly Uint8Array[]): boolean {
    this.#requests = Buffer.concat([this.#requests, ...pieces]);
    // Once full it is full until it has said that there is room.
    this.#full ||= this.#random.next() < 0.05;
    return !this.#full;
  }

  end(): void {
    throw new Error('No client of the simulation closes its half, so nothing should end a wire in halves.');
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  destroy(): void {
    // What had reached the server may still be executed.
    if (this.open && this.#random.next() < 0.5) this.serve(Math.floor(this.#random.next() * 6));
    this.#end();
  }

  // ---- steps

  /** The server takes up to `count` requests, or the connection at all. */
  serve(count: number): void {
    if (this.over) return;
    if (this.peer === undefined) {
      this.#connect();
      return;
    }
    if (!this.redis.up) return;
    for (let i = 0; i < count; i++) {
      const args = this.peer.blocked ?? this.#nextRequest();
      if (args === undefined) return;
      const answer = this.redis.execute(this.peer, args);
      this.peer.blocked = answer === undefined ? args : undefined;
      if (answer === undefined) return;
      this.#answers += answer;
    }
  }

  /** Its client is subscribed, perhaps. */
  publish(channel: string): void {
    if (this.open && this.redis.up && this.peer !== undefined)
      this.#answers += this.redis.publish(this.peer, channel);
  }

  /** A piece of the answers arrives, or word that there is room. */
  deliver(): void {
    if (!this.open || this.#paused) return;
    if (this.#full && this.#random.next() < 0.5) {
      this.#full = false;
      this.#events.drained();
      return;
    }
    if (this.#answers === '') return;
    const size = 1 + Math.floor(this.#random.next() * this.#answers.length);
    const piece = Buffer.allocUnsafeSlow(size);
    piece.write(this.#answers, 'latin1');
    this.#received.add(piece.buffer);
    this.#answers = this.#answers.slice(size);
    for (let at = 0; this.#delivered.next(piece, at) !== ReplyEvent.more;) at = this.#delivered.offset;
    this.#events.received(piece);
  }

  lose(why: string): void {
    if (this.over) return;
    this.#end();
    this.#events.lost({ why, error: undefined });
  }

  #end(): void {
    this.over = true;
    if (!this.#delivered.between) this.#onHalf();
  }

  #connect(): void {
    const { up, role, runId } = this.redis;
    if (!up) {
      this.lose('ECONNREFUSED');
      return;
    }
    this.peer = {
      openedAs: role,
      db: this.#identity.database,
      queue: undefined,
      spoiled: false,
      watched: new Map(),
      blocked: undefined,
      protocol: this.#identity.protocol,
      asking: false,
      skips: false,
      readonly: this.#readonly,
      wrote: 0,
      looks: 0,
      channels: new Set(),
      number: ++this.redis.peers,
      messages: 0,
    };
    const hello = decodeReply(Buffer.from(greeting(this.#identity.protocol)));
    this.#events.opened({ runId, role, clientId: 1, hello });
  }

  #nextRequest(): string[] | undefined {
    const scanner = new RequestScanner();
    for (let at = 0; ; at = scanner.offset) {
      const event = scanner.next(this.#requests, at);
      if (event === RequestEvent.more) return undefined;
      if (event !== RequestEvent.end) continue;
      const args = decodeRequest(this.#requests.subarray(0, scanner.offset)).map((arg) =>
        arg.toString('latin1'),
      );
      this.#requests = this.#requests.subarray(scanner.offset);
      return args;
    }
  }
}
