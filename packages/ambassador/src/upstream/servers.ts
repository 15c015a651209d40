/** Our connections to the servers: shared lines by what differs in them, and lines lent to one session at a time. */

import type { Identity } from '../session/state.ts';
import { Identities, keyOf } from './identities.ts';
import type { IdentityLimits } from './identities.ts';
import { Leases } from './leases.ts';
import type { LeaseLimits } from './leases.ts';
import { Line } from './line.ts';
import type { LineWaiter } from './line.ts';
import type { LineOptions } from './line-options.ts';
import type { Server } from './server.ts';
import type { Refusal } from './welcome.ts';
import type { OpenWire } from './wire.ts';

/** Which of a server's shared lines: scripts have their own, so that a long one holds up scripts only. */
export type Lane = 'main' | 'script';

export interface ServerLimits extends LeaseLimits, IdentityLimits {
  readonly maxLinesPerServer: number;
  readonly maxDepth: number;
  readonly failFastMs: number;
  readonly removedServerMs: number;
}

export interface ServersOptions {
  readonly openWire: OpenWire;
  readonly soon: (line: Line) => void;
  readonly now: () => number;
  /** Looked at whenever one of them counts, since a reload may move them. */
  readonly limits: ServerLimits;
  /** A connection failed to open, or was lost while open. */
  readonly onLost: (line: Line, refusal: Refusal, was: 'opening' | 'open') => void;
  readonly onErrorReply: (line: Line) => void;
}

const notOurs = 'its server is not one of ours any longer';

interface Connections {
  readonly lines: Map<string, Line>;
  /** Nobody gets these any more; they end once they have answered. */
  readonly leaving: Set<Line>;
  readonly leases: Leases;
  readonly identities: Identities;
  /** It could not be reached a moment ago: not tried again before. */
  down: { readonly why: string; readonly untilMs: number } | undefined;
  /** Since when it is none of ours. */
  removedAtMs: number | undefined;
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

  /**
   * The shared line for `identity`, opened if there is none; undefined while no more may be opened. It is closed where
   * the server has refused the identity a moment ago.
   */
  line(server: Server, identity: Identity, lane: Lane, readonly: boolean): Line | undefined {
    const { lines, identities } = this.#of(server.name);
    const who = keyOf(identity);
    const key = `${lane} ${who}`;
    // Whoever found out that a line cannot be used has closed it.
    if (lines.get(key)?.state === 'closed') lines.delete(key);
    const known = lines.get(key) ?? identities.refused(who);
    if (known !== undefined) return known;
    if (!identities.mayKnock(who)) return undefined;
    if (lines.size >= this.#options.limits.maxLinesPerServer && !closeIdle(lines)) return undefined;
    const line = this.#open(server, identity, { readonly });
    lines.set(key, line);
    identities.opening(who, line);
    return line;
  }

  /** A shared line that is open already. */
  openLine(server: string, identity: Identity, lane: Lane): Line | undefined {
    const line = this.#servers.get(server)?.lines.get(`${lane} ${keyOf(identity)}`);
    return line?.state === 'open' ? line : undefined;
  }

  /** A line for one session alone; undefined: as many are lent as may be. `evenBusy`: see WelcomeTalk. */
  lend(server: Server, identity: Identity, readonly: boolean, evenBusy = false): Line | undefined {
    const key = keyOf(identity);
    return this.#of(server.name).leases.lend(
      (line) => keyOf(line.identity) === key,
      () => this.#open(server, identity, { readonly, exclusive: true, evenBusy }),
    );
  }

  /** Who is told when a line may be lent again. */
  queue(server: Server): Set<LineWaiter> {
    return this.#of(server.name).leases.waiting;
  }

  /** Nobody gets this shared line any more: it ends once it has answered. */
  leave(line: Line): void {
    const { lines, leaving } = this.#of(line.server.name);
    for (const [key, known] of lines) if (known === line) lines.delete(key);
    leaving.add(line);
    line.closeWhenIdle('another has taken its place');
  }

  /** A new line, for who wants to know whether the server lets it in; it serves nobody after. Undefined: too many are. */
  fresh(server: Server, identity: Identity): Line | undefined {
    const { leases, identities } = this.#of(server.name);
    if (!identities.mayKnock(keyOf(identity))) return undefined;
    const open = (): Line => this.#open(server, identity, { exclusive: true });
    const line = leases.lend(() => false, open);
    if (line !== undefined) line.dirty = true;
    return line;
  }

  /** It may serve another session if nothing was left in it. */
  giveBack(line: Line): void {
    this.#of(line.server.name).leases.giveBack(line);
  }

  /** Closes what was lent and nobody has wanted for long. True while any of it is left. */
  sweep(nowMs: number): boolean {
    let idle = 0;
    for (const { leases, leaving } of this.#servers.values()) {
      for (const line of leaving) if (line.state === 'closed') leaving.delete(line);
      leases.sweep(nowMs);
      idle += leases.idle;
    }
    return idle > 0;
  }

  /** Closes every connection to `server`. */
  drop(server: string, why: string): void {
    const of = this.#servers.get(server);
    if (of === undefined) return;
    this.#servers.delete(server);
    const { lines, leaving, leases } = of;
    const all = [...lines.values(), ...leaving, ...leases.takeIdle(), ...leases.lent];
    for (const line of all) line.close(why);
  }

  /**
   * Nothing more is sent to `server`: its connections close once what they were sent is answered. Returns those that wait
   * for that.
   */
  partFrom(server: string, why: string): Line[] {
    const of = this.#servers.get(server);
    if (of === undefined) return [];
    const { lines, leaving, leases } = of;
    for (const line of lines.values()) leaving.add(line);
    lines.clear();
    const all = [...leaving, ...leases.takeIdle(), ...leases.lent];
    for (const line of all) {
      line.dirty = true;
      line.closeWhenAnswered(why);
      if (line.state === 'closed') leaving.delete(line);
    }
    return all.filter(({ state }) => state !== 'closed');
  }

  /**
   * Closes what leads to any other server, once it has answered, and forgets those servers when nothing is left open
   * there. What is lent ends with its session's use of it, or when it has had `removedServerMs` for that: whoever is
   * subscribed there, or waits for an element, might never notice.
   */
  retain(names: ReadonlySet<string>): void {
    const nowMs = this.#options.now();
    for (const [server, of] of this.#servers) {
      if (names.has(server)) of.removedAtMs = undefined;
      if (names.has(server)) continue;
      const { lines, leaving, leases } = of;
      of.removedAtMs ??= nowMs;
      for (const line of lines.values()) leaving.add(line);
      lines.clear();
      for (const line of [...leaving, ...leases.takeIdle()]) {
        line.closeWhenIdle(notOurs);
        if (line.state === 'closed') leaving.delete(line);
      }
      const over = nowMs - of.removedAtMs >= this.#options.limits.removedServerMs;
      if (over) for (const line of [...leases.lent]) line.close(notOurs);
      if (leaving.size === 0 && leases.empty) this.#servers.delete(server);
    }
  }

  /** Whether anything is open there, or was a moment ago. */
  has(server: string): boolean {
    return this.#servers.has(server);
  }

  /** Shared and own connections to each server. */
  *counts(): Iterable<{ server: string; lines: number; leases: number; idle: number; outstanding: number }> {
    for (const [server, { lines, leaving, leases }] of this.#servers) {
      let outstanding = 0;
      for (const line of [...lines.values(), ...leaving, ...leases.lent]) outstanding += line.outstanding;
      yield { server, lines: lines.size, leases: leases.lent.size, idle: leases.idle, outstanding };
    }
  }

  close(): void {
    for (const server of [...this.#servers.keys()]) this.drop(server, 'the ambassador is closing');
  }

  #of(name: string): Connections {
    let of = this.#servers.get(name);
    if (of === undefined) {
      const { limits, now } = this.#options;
      of = {
        lines: new Map(),
        leaving: new Set(),
        leases: new Leases(limits, now),
        identities: new Identities(limits, now),
        down: undefined,
        removedAtMs: undefined,
      };
      this.#servers.set(name, of);
    }
    return of;
  }

  #open(server: Server, identity: Identity, how: Partial<LineOptions>): Line {
    const { openWire, soon, now, limits } = this.#options;
    return new Line({
      server,
      identity,
      readonly: false,
      exclusive: false,
      evenBusy: false,
      ...how,
      openWire,
      maxDepth: limits.maxDepth,
      soon,
      now,
      onLost: (line, refusal, was) => this.#lost(line, refusal, was),
      onErrorReply: this.#options.onErrorReply,
    });
  }

  #lost(line: Line, refusal: Refusal, was: 'opening' | 'open'): void {
    const of = this.#of(line.server.name);
    of.leaving.delete(line);
    for (const [key, known] of of.lines) if (known === line) of.lines.delete(key);
    of.leases.lost(line);
    if (was === 'opening' && refusal.error !== undefined)
      of.identities.turnedAway(keyOf(line.identity), line);
    // A refused login is about this identity, not about the server.
    if (was === 'opening' && refusal.error === undefined) {
      of.down = { why: refusal.why, untilMs: this.#options.now() + this.#options.limits.failFastMs };
    }
    this.#options.onLost(line, refusal, was);
  }
}

/** The newest goes: those that have been there for long are wanted by many. */
function closeIdle(lines: Map<string, Line>): boolean {
  for (const [key, line] of [...lines].toReversed()) {
    if (!line.idle || line.state === 'opening') continue;
    lines.delete(key);
    line.close('another kind of connection is needed');
    return true;
  }
  return false;
}
