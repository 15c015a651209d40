/** Our connections to the servers: shared lines by what differs in them, and lines lent to one session at a time. */

import type { Identity } from '../session/state.ts';
import { Line } from './line.ts';
import type { LineWaiter } from './line.ts';
import type { Server } from './server.ts';
import type { Refusal } from './welcome.ts';
import type { OpenWire } from './wire.ts';

/** Which of a server's shared lines: scripts have their own, so that a long one holds up scripts only. */
export type Lane = 'main' | 'script';

export interface ServerLimits {
  readonly maxLinesPerServer: number;
  readonly maxIdleLeases: number;
  readonly failFastMs: number;
}

export interface ServersOptions {
  readonly openWire: OpenWire;
  readonly soon: (line: Line) => void;
  readonly now: () => number;
  readonly limits: ServerLimits;
  /** A connection failed to open, or was lost while open. */
  readonly onLost: (line: Line, refusal: Refusal, was: 'opening' | 'open') => void;
  readonly onErrorReply: (line: Line) => void;
}

interface Connections {
  readonly lines: Map<string, Line>;
  /** Clean, and waiting to be lent again; the last given back is lent first. */
  readonly idle: Line[];
  readonly lent: Set<Line>;
  /** It could not be reached a moment ago: not tried again before. */
  down: { readonly why: string; readonly untilMs: number } | undefined;
}

export class Servers {
  readonly #options: ServersOptions;
  readonly #servers = new Map<string, Connections>();

  constructor(options: ServersOptions) {
    this.#options = options;
  }

  /**
   * Why `server` is not worth trying at the moment; undefined when it is. A shared line that exists is: that another
   * could not be opened (too many clients, say) is nothing to those who have theirs.
   */
  whyDown(server: Server, identity: Identity, lane: Lane | 'own'): string | undefined {
    const { down, lines } = this.#of(server.name);
    if (down === undefined || lines.has(`${lane} ${keyOf(identity)}`)) return undefined;
    return this.#options.now() < down.untilMs ? down.why : undefined;
  }

  /** The shared line for `identity`, opened if there is none; undefined while no more may be opened. */
  line(server: Server, identity: Identity, lane: Lane, readonly: boolean): Line | undefined {
    const { lines } = this.#of(server.name);
    const key = `${lane} ${keyOf(identity)}`;
    const known = lines.get(key);
    if (known !== undefined) return known;
    if (lines.size >= this.#options.limits.maxLinesPerServer && !closeIdle(lines)) return undefined;
    const line = this.#open(server, identity, readonly, false);
    lines.set(key, line);
    return line;
  }

  /** A shared line that is open already. */
  openLine(server: string, identity: Identity, lane: Lane): Line | undefined {
    const line = this.#servers.get(server)?.lines.get(`${lane} ${keyOf(identity)}`);
    return line?.state === 'open' ? line : undefined;
  }

  /** A line for one session alone. */
  lend(server: Server, identity: Identity, readonly: boolean): Line {
    const of = this.#of(server.name);
    const key = keyOf(identity);
    const at = of.idle.findLastIndex((line) => keyOf(line.identity) === key);
    const line = at < 0 ? this.#open(server, identity, readonly, true) : (of.idle.splice(at, 1)[0] as Line);
    of.lent.add(line);
    return line;
  }

  /** Nobody gets this shared line any more: it ends once it has answered. */
  leave(line: Line): void {
    const { lines } = this.#of(line.server.name);
    for (const [key, known] of lines) if (known === line) lines.delete(key);
    line.closeWhenIdle('another has taken its place');
  }

  /** It may serve another session if nothing was left in it. */
  giveBack(line: Line): void {
    const of = this.#of(line.server.name);
    of.lent.delete(line);
    line.onPush = undefined;
    line.resume();
    const reusable = line.state === 'open' && !line.dirty && line.idle && !line.full;
    if (!reusable) line.close('given back');
    else {
      of.idle.push(line);
      if (of.idle.length > this.#options.limits.maxIdleLeases)
        of.idle.shift()?.close('more idle than allowed');
    }
  }

  /** Closes every connection to `server`. */
  drop(server: string, why: string): void {
    const of = this.#servers.get(server);
    if (of === undefined) return;
    this.#servers.delete(server);
    for (const line of [...of.lines.values(), ...of.idle, ...of.lent]) line.close(why);
  }

  /** Closes the shared connections to every other server, once they have answered. */
  retain(names: ReadonlySet<string>): void {
    for (const [server, { lines, idle }] of this.#servers) {
      if (names.has(server)) continue;
      for (const line of [...lines.values(), ...idle])
        line.closeWhenIdle('its server is not configured any longer');
      lines.clear();
      idle.length = 0;
    }
  }

  /** Shared and own connections to each server. */
  *counts(): Iterable<{ server: string; lines: number; leases: number; idle: number; outstanding: number }> {
    for (const [server, { lines, idle, lent }] of this.#servers) {
      let outstanding = 0;
      for (const line of [...lines.values(), ...lent]) outstanding += line.outstanding;
      yield { server, lines: lines.size, leases: lent.size, idle: idle.length, outstanding };
    }
  }

  close(): void {
    for (const server of [...this.#servers.keys()]) this.drop(server, 'the ambassador is closing');
  }

  #of(name: string): Connections {
    let of = this.#servers.get(name);
    if (of === undefined) {
      of = { lines: new Map(), idle: [], lent: new Set(), down: undefined };
      this.#servers.set(name, of);
    }
    return of;
  }

  #open(server: Server, identity: Identity, readonly: boolean, exclusive: boolean): Line {
    const { openWire, soon, now } = this.#options;
    return new Line({
      server,
      identity,
      exclusive,
      readonly,
      openWire,
      soon,
      now,
      onLost: (line, refusal, was) => this.#lost(line, refusal, was),
      onErrorReply: this.#options.onErrorReply,
    });
  }

  #lost(line: Line, refusal: Refusal, was: 'opening' | 'open'): void {
    const of = this.#of(line.server.name);
    for (const [key, known] of of.lines) if (known === line) of.lines.delete(key);
    of.lent.delete(line);
    const idle = of.idle.indexOf(line);
    if (idle >= 0) of.idle.splice(idle, 1);
    // A refused login is about this identity, not about the server.
    if (was === 'opening' && refusal.error === undefined) {
      of.down = { why: refusal.why, untilMs: this.#options.now() + this.#options.limits.failFastMs };
    }
    this.#options.onLost(line, refusal, was);
  }
}

/** Passwords stay in memory only: keys are never shown. */
function keyOf({ protocol, database, user, password }: Identity): string {
  return `${protocol} ${database} ${user ?? ''} ${password ?? ''}`;
}

function closeIdle(lines: Map<string, Line>): boolean {
  for (const [key, line] of lines) {
    if (!line.idle) continue;
    lines.delete(key);
    line.close('another kind of connection is needed');
    return true;
  }
  return false;
}
