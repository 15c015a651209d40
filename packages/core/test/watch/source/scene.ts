/** A daemon's source before a fake API server, in memory and on a clock that only moves when asked. */

import { FakeClock } from '@outrigger/core/clock';
import { MemoryNet, testDeps } from '@outrigger/core/testing';
import type { TestDeps } from '@outrigger/core/testing';
import { createSource } from '@outrigger/core/watch';
import type { Changes, ControlConfig, Source, Watch, WatchSpec } from '@outrigger/core/watch';
import type { Test } from 'tap';
import { FakeApi } from '../fake-api.ts';
import type { FakeObject } from '../fake-api.ts';

export const things = { group: 'example.dev', version: 'v1', resource: 'things', namespaced: true };

export interface Thing {
  readonly name: string;
  readonly group: string;
  readonly value: unknown;
}

export class Scene {
  readonly clock = new FakeClock();
  readonly net = new MemoryNet();
  readonly api = new FakeApi();
  readonly deps: TestDeps = testDeps({ clock: this.clock, net: this.net });
  readonly batches: Changes<Thing>[] = [];
  /** What the receiver has been told, by key. */
  readonly told = new Map<string, Thing>();
  source!: Source;
  watch!: Watch;

  /** `spec` changes the one watch; without `start` nothing runs yet. */
  static async open(
    t: Test,
    options: {
      config?: ControlConfig | ((scene: Scene) => ControlConfig);
      spec?: Partial<WatchSpec<Thing>>;
      start?: boolean;
    } = {},
  ): Promise<Scene> {
    const scene = new Scene();
    await scene.api.listen(scene.net);
    const { config = {}, spec = {} } = options;
    await scene.#connect(t, typeof config === 'function' ? config(scene) : config, spec);
    if (options.start !== false) await scene.source.start();
    t.teardown(() => scene.api.close());
    return scene;
  }

  async #connect(t: Test, config: ControlConfig, spec: Partial<WatchSpec<Thing>>): Promise<void> {
    this.source = await createSource(
      { control: [this.api.url], ...config },
      { role: 'proxy', version: '1' },
      this.deps,
    );
    this.watch = this.source.watch<Thing>({
      resource: things,
      project: ({ metadata, value }: FakeObject & { value?: unknown }) => ({
        name: metadata.name,
        group: metadata.labels?.['group'] ?? metadata.name,
        value,
      }),
      onChanges: (changes) => this.take(changes),
      ...spec,
    });
    const { source } = this;
    t.teardown(() => source.close());
  }

  take(changes: Changes<Thing>): void {
    this.batches.push(changes);
    for (const { key, record } of changes.put) this.told.set(key, record);
    for (const { key } of changes.delete) this.told.delete(key);
  }

  get keys(): string[] {
    return [...this.told.keys()].toSorted();
  }

  /** Moves time in small steps, with all traffic between them, until the condition holds; at most `withinMs`. */
  async until(what: string, condition: () => boolean, withinMs = 60_000): Promise<void> {
    const deadline = this.clock.now() + withinMs;
    while (!condition()) {
      if (this.clock.now() >= deadline) {
        throw new Error(`not within ${withinMs} ms: ${what}; log:\n${this.deps.lines.slice(-10).join('')}`);
      }
      await this.pass(250);
    }
  }

  /** Lets time pass, with what it causes on the network. */
  async pass(ms: number): Promise<void> {
    await turns();
    await this.clock.advance(ms);
    await turns();
  }

  async synced(): Promise<void> {
    let synced = false;
    void this.watch.synced.then(() => (synced = true));
    await this.until('synced', () => synced);
    await this.until('a watch is open', () => this.api.watches.size > 0);
  }

  /** Requests so far of which the query says so. */
  asked(what: Record<string, string | null>): number {
    return this.api.requests.filter(({ query, path }) => {
      if (!path.endsWith('/things')) return false;
      return Object.entries(what).every(([name, value]) => query.get(name) === value);
    }).length;
  }
}

export function thing(name: string, value: unknown = 1, group?: string): FakeObject {
  return {
    metadata: { namespace: 'ns', name, ...(group === undefined ? {} : { labels: { group } }) },
    value,
  };
}

/** One exchange over the in-memory network takes a dozen turns of the event loop. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 15; turn++) await new Promise((resolve) => setImmediate(resolve));
}
