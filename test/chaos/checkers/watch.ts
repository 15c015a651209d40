/** Promise 2: a watch resumed where it ended sees every change of every object once and in order. */

import type { World } from '../world.ts';
import { Broken, pause } from './checker.ts';
import type { Checker } from './checker.ts';

const promise = 'watch is ordered, complete, resumable';
const path = '/api/v1/namespaces/default/configmaps';

interface Event {
  type: string;
  object: {
    code?: number;
    metadata: { name?: string; resourceVersion: string };
    data?: { count?: string };
  };
}

export class OrderedWatch implements Checker {
  readonly promise = promise;
  readonly #counts = new Map<string, number>();
  #revision = '0';
  #events = 0;
  #resumed = 0;
  #expired = 0;

  async run(world: World, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#follow(world, signal);
        this.#resumed += 1;
      } catch (error) {
        if (error instanceof Broken) throw error;
        // The control service is down: the next try resumes.
        await pause(50);
      }
    }
  }

  summary(): string {
    return `${this.#events} events, resumed ${this.#resumed} times, relisted after 410 ${this.#expired} times`;
  }

  async #follow(world: World, signal: AbortSignal): Promise<void> {
    const url = `${world.api}${path}?watch=true&allowWatchBookmarks=true&timeoutSeconds=5&resourceVersion=${this.#revision}`;
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(15_000)]) });
    if (!response.ok || response.body === null) throw new Error(String(response.status));
    let text = '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) if (line !== '') this.#event(JSON.parse(line) as Event);
    }
  }

  #event({ type, object }: Event): void {
    if (type === 'ERROR') {
      if (object.code !== 410) throw new Broken(promise, `watch ended with ${JSON.stringify(object)}`);
      this.#expired += 1;
      this.#revision = '0';
      this.#counts.clear();
      return;
    }
    const { name, resourceVersion } = object.metadata;
    if (this.#revision !== '0' && Number(resourceVersion) < Number(this.#revision)) {
      throw new Broken(promise, `revision ${resourceVersion} came after ${this.#revision}`);
    }
    this.#revision = resourceVersion;
    if (type === 'BOOKMARK' || name?.startsWith('durable-') !== true) return;
    this.#events += 1;
    const count = Number(object.data?.count);
    const before = this.#counts.get(name);
    // A write repeated after a lost answer changes nothing, so it sends no event: counts rise by exactly one.
    if (before !== undefined && count !== before + 1) {
      throw new Broken(promise, `${name}: ${count} came after ${before}, at revision ${resourceVersion}`);
    }
    this.#counts.set(name, count);
  }
}
