/** The live demo: a little traffic, a view drawn twice a second, and backends that come back when they are killed. */

import { describeError } from '@outrigger/core/errors';
import { stripVTControlCharacters } from 'node:util';
import { gatherFacts } from './facts.ts';
import type { DemoMesh } from './mesh.ts';
import { keepRequesting, keepTalkingToRedis, newCounts } from './traffic.ts';
import { renderView } from './view.ts';
import type { Places } from './view.ts';

/** How often the view is drawn anew. */
const drawMs = 500;
/** A request now and then, so that there is something to see. */
const trafficPauseMs = 100;
const redisPauseMs = 400;
/** A backend that ended is missed for so long before it is started again. */
const missedMs = 8000;
/** The alternate screen, without a cursor: what was in the terminal before comes back at the end. */
const enterScreen = '\u001b[?1049h\u001b[?25l';
const leaveScreen = '\u001b[?25h\u001b[?1049l';

export class LiveDemo {
  readonly #mesh: DemoMesh;
  readonly #out: NodeJS.WriteStream;
  readonly #events: string[];
  readonly #ended: Promise<unknown>;
  readonly #stops: (() => Promise<void>)[] = [];
  #over = false;
  #requesting = false;

  constructor(mesh: DemoMesh, events: string[], out: NodeJS.WriteStream, ended: Promise<unknown>) {
    this.#mesh = mesh;
    this.#events = events;
    this.#out = out;
    this.#ended = ended.then(() => (this.#over = true));
  }

  async run(): Promise<void> {
    const places = placesOf(this.#mesh);
    if (places.redis !== undefined) this.#stops.push(keepTalkingToRedis(places.redis, redisPauseMs));
    for (const name of this.#mesh.backends.keys()) void this.#keepAlive(name);
    if (this.#out.isTTY) await this.#draw(places);
    else await this.#print(places);
    await Promise.all(this.#stops.map((stop) => stop()));
  }

  async #draw(places: Places): Promise<void> {
    this.#out.write(enterScreen);
    while (!this.#over) {
      const size = { columns: this.#out.columns, rows: this.#out.rows };
      const lines = renderView(await this.#facts(places), places, this.#events, size);
      this.#out.write(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join('\n')}\u001b[J`);
      await this.#pause(drawMs);
    }
    this.#out.write(leaveScreen);
  }

  /** Without a terminal: the view once, as soon as an endpoint is ready, then what happens line by line. */
  async #print(places: Places): Promise<void> {
    const size = { columns: 200, rows: 24 };
    let told = this.#events.length;
    while (!this.#over && !this.#requesting) {
      const facts = await this.#facts(places);
      const text = renderView(facts, places, [], size).join('\n');
      if (this.#requesting) this.#out.write(`${stripVTControlCharacters(text)}\n`);
      else await this.#pause(drawMs);
    }
    while (!this.#over) {
      for (; told < this.#events.length; told++) this.#out.write(`${this.#events[told]}\n`);
      await this.#pause(drawMs);
    }
  }

  /** Traffic begins when somebody can answer it: what would fail before says nothing. */
  async #facts(places: Places): ReturnType<typeof gatherFacts> {
    const facts = await gatherFacts(this.#mesh);
    if (!this.#requesting && facts.endpoints.some(({ status }) => status === 'used')) {
      this.#requesting = true;
      this.#stops.push(keepRequesting(places.web, newCounts(), trafficPauseMs));
    }
    return facts;
  }

  /** A backend that ends is told of, missed for a while so that its absence can be watched, and started again. */
  async #keepAlive(name: string): Promise<void> {
    while (!this.#over) {
      await this.#mesh.backends.get(name)?.ended;
      if (this.#over) return;
      this.#events.push(`${name} ended; it is started again in ${missedMs / 1000} s`);
      await this.#pause(missedMs);
      if (this.#over) return;
      try {
        await this.#mesh.startBackend(name);
        this.#events.push(`${name} is back`);
      } catch (error) {
        this.#events.push(`${name} could not be started again: ${describeError(error)}`);
        return;
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    await Promise.race([this.#ended, new Promise((resolve) => setTimeout(resolve, ms))]);
  }
}

function placesOf(mesh: DemoMesh): Places {
  const missing = 'left out: redis-server is not installed (apt-get install redis-server)';
  return {
    control: mesh.controlUrl,
    web: mesh.proxy?.addresses['default/web:http'] ?? '',
    scrape: mesh.adapter?.addresses['scrape'] ?? '',
    redis: mesh.ambassador?.addresses['redis'],
    redisMissing: mesh.ambassador === undefined ? missing : undefined,
  };
}
