/** How soon a server begins to answer what is written to it. */

/** A server that begins to answer within this is near: nothing is sent to it while a batch is under way. */
const nearMs = 0.3;
/** Weight of a new measurement in the moving average. */
const weight = 0.1;

export class AnswerTime {
  #averageMs = nearMs;
  #writtenAtMs = 0;
  /** What was written last has not been answered at all. */
  #measuring = false;

  get near(): boolean {
    return this.#averageMs <= nearMs;
  }

  /** What was written last should have been answered by now. */
  overdue(nowMs: number): boolean {
    return nowMs - this.#writtenAtMs > 2 * nearMs;
  }

  written(nowMs: number): void {
    this.#writtenAtMs = nowMs;
    this.#measuring = true;
  }

  /** Something came. */
  received(now: () => number): void {
    if (!this.#measuring) return;
    this.#measuring = false;
    this.#averageMs += (now() - this.#writtenAtMs - this.#averageMs) * weight;
  }
}
