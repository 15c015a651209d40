/** Why a session's next request waits, since when, and what will wake it: a line, a timer, or news of the servers. */

import type { Timer } from '@outrigger/core/clock';
import type { EngineCounters } from '../observe/counters.ts';
import { Held } from '../observe/names.ts';
import type { Line, LineWaiter } from '../upstream/line.ts';
import type { Budget } from './budget.ts';
import type { SessionContext, SessionPorts } from './ports.ts';

type Shared = Pick<SessionContext, 'counters' | 'budget'>;

export class Waiting {
  /** Undefined while nothing waits. */
  reason: Held | undefined;
  /** The line it waits for: to open, or to have room. */
  line: Line | undefined;
  /** Where it stands in line for a connection. */
  #queue: Set<LineWaiter> | undefined;
  readonly #ports: SessionPorts;
  readonly #counters: EngineCounters;
  readonly #waiter: LineWaiter;
  readonly #budget: Budget;
  #sinceMs = 0;
  #wake: Timer | undefined;
  #wakeAtMs = 0;

  constructor(ports: SessionPorts, { counters, budget }: Shared, waiter: LineWaiter) {
    this.#ports = ports;
    this.#counters = counters;
    this.#budget = budget;
    this.#waiter = waiter;
  }

  /** Since when, as a time it has waited; 0 when nothing waits. */
  get forMs(): number {
    return this.reason === undefined ? 0 : this.#ports.now() - this.#sinceMs;
  }

  /** The request waits; counted once, however often it is looked at again. */
  hold(reason: Held): false {
    if (this.reason === undefined) this.#sinceMs = this.#ports.now();
    if (this.reason !== reason) this.#changed(reason);
    return false;
  }

  holdFor(line: Line, reason: Held): false {
    this.line = line;
    line.wait(this.#waiter);
    return this.hold(reason);
  }

  /** Told, in turn, when there may be a connection. */
  holdIn(queue: Set<LineWaiter>): void {
    if (queue !== this.#queue) this.#queue?.delete(this.#waiter);
    this.#queue = queue;
    queue.add(this.#waiter);
  }

  holdUntil(delayMs: number, reason: Held): false {
    this.wakeIn(delayMs);
    return this.hold(reason);
  }

  /** A timer that comes earlier than the one there is replaces it. */
  wakeIn(delayMs: number): void {
    const at = this.#ports.now() + delayMs;
    if (this.#wake !== undefined && this.#wakeAtMs <= at) return;
    this.#wake?.cancel();
    this.#wakeAtMs = at;
    this.#wake = this.#ports.wakeAfter(delayMs);
  }

  woken(): void {
    this.#wake = undefined;
  }

  lineChanged(line: Line): void {
    if (this.line === line) this.line = undefined;
  }

  /** The request went. */
  over(): void {
    if (this.reason === undefined) return;
    if (this.reason === Held.election) this.#counters.failoverWaited(this.forMs / 1000, 1);
    this.#changed(undefined);
    this.#leaveQueue();
    this.#ports.watchRealm(false);
  }

  end(): void {
    this.#wake?.cancel();
    this.#changed(undefined);
    this.line?.leave(this.#waiter);
    this.#leaveQueue();
    this.#ports.watchRealm(false);
  }

  #changed(reason: Held | undefined): void {
    if (this.reason === Held.election) this.#budget.waits(-1);
    if (reason === Held.election) this.#budget.waits(1);
    if (reason !== undefined) this.#counters.held(reason);
    this.reason = reason;
  }

  #leaveQueue(): void {
    this.#queue?.delete(this.#waiter);
    this.#queue = undefined;
  }
}
