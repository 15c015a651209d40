/** Promise 1: a write that was acknowledged is there after any kill of the control service, and revisions never go back. */

import type { World } from '../world.ts';
import { Broken, pause } from './checker.ts';
import type { Checker } from './checker.ts';

const promise = 'acknowledged is durable';
const path = '/api/v1/namespaces/default/configmaps';
const writers = 8;

interface ConfigMap {
  metadata: { resourceVersion: string };
  data: { count: string };
}

export class Durable implements Checker {
  readonly promise = promise;
  /** Key → the highest count that was acknowledged. */
  readonly acknowledged = new Map<string, number>();
  #writes = 0;
  #reads = 0;
  #revision = 0;

  async run(world: World, signal: AbortSignal): Promise<void> {
    await Promise.all([...Array(writers).keys()].map((id) => this.#write(world, `durable-${id}`, signal)));
  }

  summary(): string {
    return `${this.#writes} acknowledged writes, ${this.#reads} read back, last revision ${this.#revision}`;
  }

  async #write(world: World, name: string, signal: AbortSignal): Promise<void> {
    for (let count = 1; !signal.aborted;) {
      const body = {
        kind: 'ConfigMap',
        apiVersion: 'v1',
        metadata: { name },
        data: { count: String(count) },
      };
      const known = this.acknowledged.has(name);
      try {
        const answer = known
          ? await world.send('PUT', `${path}/${name}`, body)
          : await world.send('POST', path, body);
        // 409: the create before was carried out, though its answer was lost.
        if (answer.status >= 300 && answer.status !== 409) throw new Error(String(answer.status));
        if (answer.status === 409) this.acknowledged.set(name, 0);
        else this.#acknowledge(name, count, JSON.parse(answer.text) as ConfigMap);
        count += 1;
      } catch (error) {
        if (error instanceof Broken) throw error;
        // Not acknowledged: it may or may not be there, and the same value is written again.
        await pause(50);
      }
      if (count % 10 === 0) await this.#readBack(world, name);
    }
  }

  #acknowledge(name: string, count: number, object: ConfigMap): void {
    this.#writes += 1;
    this.acknowledged.set(name, count);
    this.#revision = Math.max(this.#revision, Number(object.metadata.resourceVersion));
  }

  async #readBack(world: World, name: string): Promise<void> {
    const wanted = this.acknowledged.get(name) ?? 0;
    const seen = this.#revision;
    let answer;
    try {
      answer = await world.send('GET', `${path}/${name}`);
    } catch {
      // Down just now: what matters is what it says when it is back.
      return;
    }
    if (answer.status === 404)
      throw new Broken(promise, `${name} was acknowledged with ${wanted} and is gone`);
    if (answer.status !== 200) return;
    // Down just now: the revision is looked at next time.
    const list = await world.send('GET', `${path}?limit=1`).catch(() => undefined);
    const { data } = JSON.parse(answer.text) as ConfigMap;
    this.#reads += 1;
    if (Number(data.count) < wanted)
      throw new Broken(promise, `${name}: acknowledged ${wanted}, stored ${data.count}`);
    if (list?.status !== 200) return;
    const now = Number(
      (JSON.parse(list.text) as { metadata: { resourceVersion: string } }).metadata.resourceVersion,
    );
    if (now < seen) throw new Broken(promise, `revision went back from ${seen} to ${now}`);
  }
}
