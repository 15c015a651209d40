/**
 * So many requests a turn of the event loop, the rest in the next ones.
 *
 * When a group commit answers many writers at once, all of them send their next request at once, and one turn that parses,
 * checks and encodes them all holds up timers, watches and everybody else for ten milliseconds. A few at a time costs
 * the same work and delays nobody by more than those few.
 */
export class Pace {
  readonly #perTurn: number;
  #left: number;
  #waiting: (() => void)[] = [];
  #scheduled = false;

  constructor(perTurn: number) {
    this.#perTurn = perTurn;
    this.#left = perTurn;
  }

  /** Undefined: go on. Otherwise resolves when it is this one's turn, in the order of asking. */
  enter(): Promise<void> | undefined {
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => this.#turn());
    }
    if (this.#left > 0) {
      this.#left -= 1;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #turn(): void {
    const next = this.#waiting.splice(0, this.#perTurn);
    this.#left = this.#perTurn - next.length;
    this.#scheduled = next.length > 0;
    if (this.#scheduled) setImmediate(() => this.#turn());
    for (const go of next) go();
  }
}
