/**
 * One place of one source: asked within a deadline, and never the reason why a page fails.
 *
 * Scrapes that come while it is being asked share the answer; the one that waits longest decides how long it may take.
 */

import type { Clock, Timer } from '@outrigger/core/clock';
import { describeError } from '@outrigger/core/errors';
import { givingWay } from '@outrigger/core/exposition';
import type { MetricFamily } from '@outrigger/core/exposition';
import { SourceError } from '../sources/source.ts';
import type { Answer, FailureClass, Source } from '../sources/source.ts';
import type { Shape } from './shape.ts';

export interface AskedOptions {
  /** As in the configuration. */
  readonly name: string;
  /** Which of the source's places; the label `endpoint`. */
  readonly endpoint: string;
  readonly source: Source;
  readonly shape: Shape;
  readonly timeoutMs: number;
  /** The whole answer is refused beyond it. */
  readonly maxSeries: number;
}

export type Outcome =
  /** `answer`: as the page shows it, relabelled. */
  | { readonly up: true; readonly answer: Answer; readonly series: number }
  | {
      readonly up: false;
      readonly failure: FailureClass;
      readonly message: string;
      readonly families: readonly MetricFamily[];
    };

/** What is known of it after it was asked. */
export interface AskedState {
  readonly up: boolean;
  readonly seconds: number;
  /** Seconds since the epoch; undefined: never. */
  readonly lastSuccess: number | undefined;
  readonly series: number;
  /** Why it failed last; '' while it is up. */
  readonly problem: string;
}

interface UnderWay {
  readonly outcome: Promise<Outcome>;
  readonly extend: (untilMs: number) => void;
}

export class AskedSource {
  readonly options: AskedOptions;
  readonly #clock: Clock;
  #state: AskedState | undefined;
  #underWay: UnderWay | undefined;

  constructor(options: AskedOptions, clock: Clock) {
    this.options = options;
    this.#clock = clock;
  }

  /** Undefined before it was first asked. */
  get state(): AskedState | undefined {
    return this.#state;
  }

  /** Never rejects. An answer that takes longer than `leftMs` (and the source's own timeout) is a failure. */
  async ask(leftMs: number): Promise<Outcome> {
    const allowed = Math.min(leftMs, this.options.timeoutMs);
    const until = this.#clock.now() + allowed;
    this.#underWay ??= this.#begin(until);
    this.#underWay.extend(until);
    let timer: Timer | undefined;
    const late = new Promise<Outcome>((resolve) => {
      timer = this.#clock.setTimeout(() => resolve(this.#late(allowed)), allowed);
    });
    const outcome = await Promise.race([this.#underWay.outcome, late]);
    timer?.cancel();
    return outcome;
  }

  close(): void | Promise<void> {
    return this.options.source.close();
  }

  #begin(firstUntil: number): UnderWay {
    const controller = new AbortController();
    const started = this.#clock.now();
    let until = firstUntil;
    let timer: Timer | undefined;
    const arm = (): void => {
      timer?.cancel();
      timer = this.#clock.setTimeout(() => controller.abort(), Math.max(0, until - this.#clock.now()));
    };
    arm();
    const aborted = new Promise<Outcome>((resolve) => {
      controller.signal.addEventListener('abort', () => resolve(this.#late(until - started)));
    });
    const collected = this.#collect(controller.signal, until - started);
    const outcome = Promise.race([collected, aborted]).then((result) => {
      timer?.cancel();
      this.#underWay = undefined;
      this.#note(result, (this.#clock.now() - started) / 1000);
      return result;
    });
    const extend = (later: number): void => {
      if (later <= until) return;
      until = later;
      arm();
    };
    return { outcome, extend };
  }

  async #collect(signal: AbortSignal, leftMs: number): Promise<Outcome> {
    try {
      return await this.#answer(signal, leftMs);
    } catch (error) {
      return { up: false, failure: 'internal', message: describeError(error), families: [] };
    }
  }

  async #answer(signal: AbortSignal, leftMs: number): Promise<Outcome> {
    const { source, maxSeries } = this.options;
    try {
      const answer = await source.collect({ signal, leftMs });
      const answered = seriesIn(answer.families);
      if (answered > maxSeries) {
        const message = `${answered} series are more than its maxSeries, ${maxSeries}; raise it, or drop some at the source`;
        return { up: false, failure: 'too-large', message, families: [] };
      }
      const families = await this.#shaped(answer.families);
      return { up: true, answer: { ...answer, families }, series: seriesIn(families) };
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      const families = await this.#shaped(error.families);
      return { up: false, failure: error.class, message: describeError(error), families };
    }
  }

  #shaped(families: readonly MetricFamily[]): Promise<readonly MetricFamily[]> {
    return this.options.shape.apply(families, givingWay(this.#clock));
  }

  #late(afterMs: number): Outcome {
    const message = `did not answer within ${Math.round(afterMs)} ms`;
    return { up: false, failure: 'timeout', message, families: [] };
  }

  #note(outcome: Outcome, seconds: number): void {
    this.#state = {
      up: outcome.up,
      seconds,
      lastSuccess: outcome.up ? this.#clock.wall() / 1000 : this.#state?.lastSuccess,
      series: outcome.up ? outcome.series : 0,
      problem: outcome.up ? '' : outcome.message,
    };
  }
}

function seriesIn(families: readonly MetricFamily[]): number {
  return families.reduce((sum, { samples }) => sum + samples.length, 0);
}
