/**
 * What is believed of all that sentinels say, over time.
 *
 * A switch counts at once: whoever announces it has made it, under a new epoch, and so has an heir that was told to be the
 * primary and says that it is. From then on words of an older epoch are those of sentinels that have not heard of it, and
 * believing one would depose the new primary for the old. Only when nobody has known the newest epoch for `holdMs` has it
 * been reset, and older words count again. When no sentinel answers, the last opinion stands: the servers are still there.
 */

import { chooseView } from './sentinel-view.ts';
import type { SentinelView, Succession } from './sentinel-view.ts';

export interface Believed {
  readonly primary: string;
  readonly replicas: readonly string[];
  /** Other sentinels that are known. */
  readonly sentinels: readonly string[];
}

export class SentinelOpinion {
  readonly #holdMs: number;
  readonly #words = new Map<string, SentinelView | string>();
  #epoch = 0;
  #epochHeardMs = Number.NEGATIVE_INFINITY;
  #believed: Believed | undefined;

  constructor(holdMs: number) {
    this.#holdMs = holdMs;
  }

  /** Undefined until a sentinel has told. */
  get believed(): Believed | undefined {
    return this.#believed;
  }

  /** What that sentinel said last, or why it says nothing; undefined before. */
  word(sentinel: string): SentinelView | string | undefined {
    return this.#words.get(sentinel);
  }

  /** Why no sentinel knows the primary; '' when one does. */
  get problem(): string {
    const reasons: string[] = [];
    for (const [sentinel, word] of this.#words) {
      if (typeof word !== 'string') return '';
      reasons.push(`sentinel ${sentinel}: ${word}`);
    }
    return reasons.join('; ') || 'no sentinel has been asked yet';
  }

  heard(sentinel: string, word: SentinelView | string, nowMs: number): void {
    this.#words.set(sentinel, word);
    const views = [...this.#words.values()].filter((one) => typeof one !== 'string');
    const held = nowMs - this.#epochHeardMs < this.#holdMs;
    const view = chooseView(held ? views.filter(({ epoch }) => epoch >= this.#epoch) : views);
    if (view === undefined) return;
    this.#epoch = view.epoch;
    this.#epochHeardMs = nowMs;
    this.#believed = { primary: view.primary, replicas: view.replicas, sentinels: view.sentinels };
  }

  /** True when it names another primary than was believed. */
  switched({ from, to }: Succession, nowMs: number): boolean {
    // From any other than the one believed in: old news, questions have told more already.
    if (this.#believed?.primary !== from) return false;
    this.#epoch += 1;
    this.#epochHeardMs = nowMs;
    this.#believed = { ...this.#believed, primary: to };
    return true;
  }

  /** It is not asked any longer. */
  forget(sentinel: string): void {
    this.#words.delete(sentinel);
  }
}
