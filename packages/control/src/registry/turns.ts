/**
 * Order among writers of one object. Writers that read the same state and commit together have one winner a round, so
 * with a few dozen of them most lose every round they are given. Who lost once waits for its turn instead, and whoever
 * comes while others wait queues up behind them: each then wins at once. An object nobody fights over costs one lookup.
 */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `work` at once where nobody waits and `must` is false; otherwise after everyone who came before. */
  async run<T>(key: string, must: boolean, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    if (before === undefined && !must) return work();
    const mine = before === undefined ? work() : before.then(work, work);
    this.#last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === mine) this.#last.delete(key);
    }
  }
}
