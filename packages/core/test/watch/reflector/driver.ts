/** Drives a reflector's core by hand: tells it how steps went, keeps what it hands over. */

import { seededRandom } from '@outrigger/core/clock';
import { ReflectorCore } from '../../../src/watch/reflector/core.ts';
import type { Failure, FailureReason } from '../../../src/watch/reflector/failure.ts';
import type { Outcome, ServerTraits, Step } from '../../../src/watch/reflector/steps.ts';
import { unknownServer } from '../../../src/watch/reflector/steps.ts';
import type { ApiObject, Changes } from '../../../src/watch/reflector/types.ts';

export interface Named {
  readonly name: string;
  readonly value: unknown;
}

export interface Pair {
  readonly metadata: { readonly name: string };
  readonly value?: unknown;
}

export class Driver {
  readonly batches: Changes<Named>[] = [];
  readonly failures: { failure: Failure; delayMs: number }[] = [];
  readonly traits: ServerTraits = unknownServer();
  readonly core: ReflectorCore<Named>;
  now = 0;
  step: Step;
  /** Thrown instead of taking the next batch. */
  refuse: Error | undefined;

  constructor(options: { optional?: boolean; seed?: number; begin?: boolean } = {}) {
    this.core = new ReflectorCore<Named>({
      project: ({ metadata: { name }, value }: Pair) => (value === 'hidden' ? undefined : { name, value }),
      deliver: (changes) => {
        const refused = this.refuse;
        this.refuse = undefined;
        if (refused !== undefined) throw refused;
        this.batches.push(changes);
      },
      onFailure: (failure, delayMs) => this.failures.push({ failure, delayMs }),
      onEvent: () => {},
      traits: () => this.traits,
      random: seededRandom(options.seed ?? 1),
      optional: options.optional ?? false,
    });
    this.step = this.core.begin();
  }

  tell(outcome: Outcome): Step {
    this.step = this.core.next(outcome, this.now);
    return this.step;
  }

  identified(identity = 'c1', revision = '1000'): Step {
    return this.tell({ result: 'identified', url: 'u', identity, revision });
  }

  failed(reason: FailureReason, more: Partial<Failure> = {}): Step {
    return this.tell({ result: 'failed', failure: { reason, message: reason, ...more } });
  }

  page(revision: string, items: readonly ApiObject[], more?: string): Step {
    return this.tell({ result: 'page', items, revision, continue: more });
  }

  /** After a failure: waits, identifies, and is at the next list or watch. */
  recover(identity?: string, revision?: string): Step {
    if (this.step.do === 'wait') {
      this.now += this.step.delayMs;
      this.tell({ result: 'waited' });
    }
    return this.identified(identity, revision);
  }

  event(type: string, object: unknown): Failure | undefined {
    return this.core.lines([JSON.stringify({ type, object })], this.now);
  }

  lines(...events: [type: string, object: unknown][]): Failure | undefined {
    return this.core.lines(
      events.map(([type, object]) => JSON.stringify({ type, object })),
      this.now,
    );
  }

  /** Listed by pages at revision 10 with these objects, and watching. */
  watching(...items: ApiObject[]): this {
    this.traits.watchList = false;
    this.identified();
    this.page('10', items);
    this.batches.length = 0;
    return this;
  }

  /** Key → value of what is held. */
  get held(): Record<string, unknown> {
    return Object.fromEntries(
      [...this.core.holdings.records].map(([key, { record }]) => [key, record.value]),
    );
  }
}

export function object(
  name: string,
  revision: number | string,
  value: unknown = 1,
): ApiObject & { value: unknown } {
  return { metadata: { name, namespace: 'ns', resourceVersion: String(revision) }, value };
}

export function endMark(revision: string): ApiObject {
  return { metadata: { resourceVersion: revision, annotations: { 'k8s.io/initial-events-end': 'true' } } };
}
