/**
 * Promise 2 from the client's side: whatever the server's history and whatever breaks, once things are quiet the client
 * holds exactly what the server has, and what it told its receiver adds up to that.
 */

import { seededRandom } from '@outrigger/core/clock';
import type { Random } from '@outrigger/core/clock';
import { test } from 'tap';
import { Driver, endMark, object } from './driver.ts';

const seeds = Number(process.env['SEEDS'] ?? 400);
const first = Number(process.env['SEED'] ?? 1);

interface Entry {
  readonly revision: number;
  readonly type: string;
  readonly name: string;
  readonly value: number;
}

/** Objects with a history, which can be compacted, lost, or replaced by another cluster's. */
class Server {
  revision = 10;
  identity = 'c1';
  objects = new Map<string, { revision: number; value: number }>();
  history: Entry[] = [];
  oldest = 10;
  #peak = 10;

  write(random: Random): void {
    const name = `o${Math.floor(random.next() * 6)}`;
    const value = Math.floor(random.next() * 100);
    const revision = ++this.revision;
    if (this.objects.has(name) && random.next() < 0.4) {
      const last = this.objects.get(name)!;
      this.objects.delete(name);
      this.history.push({ revision, type: 'DELETED', name, value: last.value });
    } else {
      const type = this.objects.has(name) ? 'MODIFIED' : 'ADDED';
      this.objects.set(name, { revision, value });
      this.history.push({ revision, type, name, value });
    }
  }

  /** Streams that are open keep what they are owed. */
  compact(): void {
    this.oldest = Math.max(this.oldest, this.revision);
  }

  /**
   * Another store takes this one's place: another cluster's, or this one's of before. A cluster that goes back and stays
   * the same must refuse the revisions it had given out, or nobody could notice once it has passed them again.
   */
  replace(random: Random): void {
    this.#peak = Math.max(this.#peak, this.revision);
    this.objects = new Map([...this.objects].filter(() => random.next() < 0.5));
    this.revision = Math.max(1, this.revision - Math.floor(random.next() * 20));
    this.history = [];
    const another = random.next() < 0.5;
    if (another) this.identity = `${this.identity}'`;
    this.oldest = another ? this.revision : this.#peak + 1;
  }

  get truth(): Record<string, number> {
    return Object.fromEntries([...this.objects].map(([name, { value }]) => [`ns/${name}`, value]).toSorted());
  }
}

class Run {
  readonly #server = new Server();
  readonly #random: Random;
  readonly #driver: Driver;
  /** Events of the open stream not yet given to the client. */
  #stream: [string, unknown][] = [];
  #sent = 0;
  /** What the receiver made of the batches. */
  readonly #told = new Map<string, unknown>();
  #taken = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#driver = new Driver({ seed });
    this.#driver.traits.watchList = this.#random.next() < 0.5;
  }

  play(turns: number): void {
    for (let i = 0; i < turns; i++) this.#turn();
    // Quiet now: everything that is owed comes, nothing breaks.
    for (let i = 0; i < 50; i++) this.#advance(false);
  }

  get outcome(): { truth: object; held: object; told: object } {
    const sorted = (entries: Iterable<[string, unknown]>): object =>
      Object.fromEntries([...entries].toSorted());
    return {
      truth: this.#server.truth,
      held: sorted(Object.entries(this.#driver.held)),
      told: sorted(this.#told),
    };
  }

  #turn(): void {
    const dice = this.#random.next();
    if (dice < 0.5) this.#server.write(this.#random);
    else if (dice < 0.53) this.#server.compact();
    else if (dice < 0.55) this.#restart();
    else this.#advance(true);
    this.#driver.now += this.#random.next() * 3_000;
  }

  /** The server goes down with all streams, and another store may come up. */
  #restart(): void {
    this.#server.replace(this.#random);
    if (this.#driver.step.do === 'watch') this.#fail('broken');
  }

  #advance(faulty: boolean): void {
    const { step } = this.#driver;
    const breaks = faulty && this.#random.next() < 0.15;
    switch (step.do) {
      case 'wait':
        this.#driver.now += step.delayMs;
        this.#driver.tell({ result: 'waited' });
        break;
      case 'identify':
        if (breaks) this.#fail('unreachable');
        else this.#driver.identified(this.#server.identity, String(this.#server.revision));
        this.#open();
        break;
      case 'list':
        if (breaks) this.#fail('timeout');
        else this.#list();
        this.#open();
        break;
      case 'watch':
        if (breaks) this.#break();
        else this.#deliver();
        break;
    }
    this.#listen();
  }

  #list(): void {
    const items = [...this.#server.objects].map(([name, { revision, value }]) =>
      object(name, revision, value),
    );
    this.#driver.page(String(this.#server.revision), items);
  }

  /** If the last step opened a watch, what it will send so far. */
  #open(): void {
    const { step } = this.#driver;
    if (step.do !== 'watch') return;
    this.#sent = this.#server.revision;
    if (step.revision === undefined) {
      const initial = [...this.#server.objects].map(([name, { revision, value }]): [string, unknown] => [
        'ADDED',
        object(name, revision, value),
      ]);
      this.#stream = [...initial, ['BOOKMARK', endMark(String(this.#server.revision))]];
    } else if (Number(step.revision) < this.#server.oldest) {
      this.#stream = [['ERROR', { kind: 'Status', status: 'Failure', code: 410, reason: 'Expired' }]];
    } else {
      this.#stream = [];
      this.#sent = Number(step.revision);
    }
  }

  /** Some of what the stream has: in batches of any size, sometimes with a bookmark. */
  #deliver(): void {
    const news = this.#server.history.filter(({ revision }) => revision > this.#sent);
    this.#sent = Math.max(this.#sent, ...news.map(({ revision }) => revision));
    this.#stream.push(
      ...news.map(({ type, name, revision, value }): [string, unknown] => [
        type,
        object(name, revision, value),
      ]),
    );
    const count = Math.ceil(this.#random.next() * 4);
    const some = this.#stream.splice(0, count);
    if (this.#stream.length === 0 && some.length > 0 && this.#random.next() < 0.2) {
      some.push(['BOOKMARK', { metadata: { resourceVersion: String(this.#sent) } }]);
    }
    if (some.length === 0) return;
    const failure = this.#driver.lines(...some);
    if (failure !== undefined) this.#fail(failure.reason);
  }

  #break(): void {
    const dice = this.#random.next();
    if (dice < 0.3) {
      this.#driver.tell({ result: 'ended' });
      this.#open();
    } else if (dice < 0.6) {
      this.#driver.refuse = new Error('not now');
      this.#deliver();
      this.#driver.refuse = undefined;
    } else {
      this.#fail(dice < 0.8 ? 'broken' : 'silent');
    }
  }

  #fail(reason: Parameters<Driver['failed']>[0]): void {
    this.#driver.failed(reason);
    this.#open();
  }

  #listen(): void {
    for (const { put, delete: gone } of this.#driver.batches.slice(this.#taken)) {
      for (const { key, record } of put) this.#told.set(key, record.value);
      for (const { key } of gone) this.#told.delete(key);
    }
    this.#taken = this.#driver.batches.length;
  }
}

test(`after any history and any breaks the client has what the server has (seeds from ${first})`, (t) => {
  for (let seed = first; seed < first + seeds; seed++) {
    const run = new Run(seed);
    run.play(150);
    const { truth, held, told } = run.outcome;
    if (JSON.stringify(held) === JSON.stringify(truth) && JSON.stringify(told) === JSON.stringify(truth))
      continue;
    t.same(held, truth, `held, SEED=${seed}`);
    t.same(told, truth, `told, SEED=${seed}`);
    break;
  }
  t.pass(`${seeds} seeds`);
  t.end();
});
