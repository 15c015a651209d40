/** Connections that a test opens, answers on and loses by hand. */

import type { OpenWire, Wire, WireEvents } from '../../src/upstream/wire.ts';
import type { Identity } from '../../src/session/state.ts';
import { serverAt } from '../../src/upstream/server.ts';

export const server = serverAt({ kind: 'tcp', host: '10.0.0.1', port: 6379 });
export const identity: Identity = { user: undefined, password: undefined, protocol: 2, database: 0 };

export class FakeWire implements Wire {
  readonly events: WireEvents;
  /** What was written: one text for each write, its pieces set apart by `|`. */
  readonly written: string[] = [];
  room = true;
  unsent = 0;
  paused = false;
  ended = false;
  destroyed = false;

  constructor(events: WireEvents) {
    this.events = events;
  }

  write(pieces: readonly Uint8Array[]): boolean {
    this.written.push(pieces.map((piece) => Buffer.from(piece).toString('latin1')).join('|'));
    return this.room;
  }

  end(): void {
    this.ended = true;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  destroy(): void {
    this.destroyed = true;
  }

  open(role: 'master' | 'slave' = 'master'): this {
    this.events.opened({ runId: 'run', role, clientId: 7, hello: undefined });
    return this;
  }

  answer(text: string): void {
    this.events.received(Buffer.from(text, 'latin1'));
  }
}

export class FakeWires {
  readonly all: FakeWire[] = [];

  readonly openWire: OpenWire = (_server, _identity, _readonly, events) => {
    const wire = new FakeWire(events);
    this.all.push(wire);
    return wire;
  };

  get last(): FakeWire {
    return this.all.at(-1) as FakeWire;
  }
}
