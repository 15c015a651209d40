/** Events that controllers write about objects. They inform people; a lost one harms nothing, so their number is bounded. */

import type { KubernetesObject } from '@outrigger/core/api';
import { eventKind, formatTime } from '@outrigger/core/api';
import type { ControllerApi } from './api.ts';
import type { ControllerOptions } from './options.ts';
import type { ControllerDeps } from './sync-loop.ts';
import { isNamespaceTerminating } from './sync-loop.ts';

export interface EventText {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

const reporter = 'outrigger-control';

export class EventRecorder {
  readonly #api: ControllerApi;
  readonly #deps: ControllerDeps;
  readonly #options: ControllerOptions;
  readonly #writing = new Set<Promise<void>>();
  /** A token bucket: what may still be written at once. */
  #tokens: number;
  #filledAt: number;

  constructor(api: ControllerApi, deps: ControllerDeps, options: ControllerOptions) {
    this.#api = api;
    this.#deps = deps;
    this.#options = options;
    this.#tokens = options.eventBurst;
    this.#filledAt = deps.clock.now();
  }

  /** `about` needs apiVersion, kind and metadata. Never throws, never waits. */
  record(about: KubernetesObject, text: EventText): void {
    if (!this.#take()) {
      this.#deps.observer.eventsDropped();
      return;
    }
    const writing = this.#write(about, text).finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
  }

  async close(): Promise<void> {
    await Promise.all(this.#writing);
  }

  /** The usual form of an Event's name; enough digits that no two of one object meet. */
  #suffix(): string {
    const digits = Array.from({ length: 2 }, () => Math.floor(this.#deps.random.next() * 2 ** 32));
    return digits.map((part) => part.toString(16).padStart(8, '0')).join('');
  }

  #take(): boolean {
    const now = this.#deps.clock.now();
    const { eventBurst, eventsPerSecond } = this.#options;
    const refill = ((now - this.#filledAt) / 1_000) * eventsPerSecond;
    this.#tokens = Math.min(eventBurst, this.#tokens + refill);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  async #write({ apiVersion, kind, metadata }: KubernetesObject, text: EventText): Promise<void> {
    const { name = '', namespace = 'default', uid } = metadata;
    const time = formatTime(this.#deps.clock.wall());
    try {
      await this.#api.create(eventKind, {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: `${name}.${this.#suffix()}`, namespace },
        involvedObject: {
          ...(apiVersion === undefined ? {} : { apiVersion }),
          ...(kind === undefined ? {} : { kind }),
          name,
          ...(metadata.namespace === undefined ? {} : { namespace }),
          ...(uid === undefined ? {} : { uid }),
        },
        ...text,
        source: { component: reporter },
        reportingComponent: reporter,
        reportingInstance: reporter,
        firstTimestamp: time,
        lastTimestamp: time,
        count: 1,
      });
    } catch (error) {
      if (isNamespaceTerminating(error)) return;
      this.#deps.log.warn('an Event could not be written', { about: `${namespace}/${name}`, ...text, error });
    }
  }
}
