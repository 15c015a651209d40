/** Where programs run: a plain Redis, and ambassadors before servers of their own. All servers are alike. */

import { seededRandom } from '@outrigger/core/clock';
import { startRedis } from '../../../../test/harness/index.ts';
import type { Redis, Teardown } from '../../../../test/harness/index.ts';
import { startAmbassador, synced } from '../session/setting.ts';
import { Connection, missingMark, PATIENCE_MS } from './connection.ts';
import { content } from './frames.ts';
import { run } from './run.ts';
import type { Entry, Manner } from './run.ts';
import type { Program } from './program.ts';

export interface Side {
  readonly name: string;
  readonly readsAtPrimary: boolean;
  /** Every program in turn, each on an empty server; the rest are left out after a few that waited in vain. */
  runAll(programs: readonly Program[]): Promise<Entry[][]>;
}

const MOST_STUCK = 3;

export interface Sides {
  readonly plain: Side;
  /** Sides on the same servers, one list for each set of servers: those of one list take turns. */
  readonly through: readonly (readonly Side[])[];
  readonly replicas: readonly Redis[];
}

/** Directives of every server; `replicas` behind the second set of ambassadors. */
export async function startSides(t: Teardown, seed: number): Promise<Sides> {
  const [plain, alone, primary] = await Promise.all([startServer(t), startServer(t), startServer(t)]);
  const replicas = await Promise.all([startServer(t, primary), startServer(t, primary)]);
  await Promise.all(replicas.map(synced));
  const ambassador = async (values: Readonly<Record<string, unknown>>): Promise<number> =>
    (await startAmbassador(t, values)).port;
  const split = { primary: primary.address, replica: replicas.map(({ address }) => address) };
  const [single, atPrimary, session, eventual] = await Promise.all([
    ambassador({ primary: alone.address }),
    ambassador({ ...split, readPolicy: 'primary' }),
    ambassador({ ...split, consistency: 'session' }),
    ambassador({ ...split, consistency: 'eventual' }),
  ]);
  const side = (name: string, port: number, manner: Manner, servers: readonly Redis[]): Side =>
    new RunningSide(name, port, manner, servers, seed, servers.length === 1 || port === atPrimary);
  const all = [primary, ...replicas];
  return {
    plain: side('plain', plain.port, 'whole', [plain]),
    through: [
      [side('no replicas', single, 'whole', [alone]), side('no replicas, bytes cut', single, 'cut', [alone])],
      [
        side('reads at the primary', atPrimary, 'whole', all),
        side('session consistency, bytes cut', session, 'cut', all),
        side('eventual consistency, replicas up to date', eventual, 'stepwise', all),
      ],
    ],
    replicas,
  };
}

/** Two plain servers: what they disagree on is no fault of anybody. */
export async function startPlainSides(t: Teardown, seed: number): Promise<[Side, Side]> {
  const [one, other] = await Promise.all([startServer(t), startServer(t)]);
  return [
    new RunningSide('plain', one.port, 'whole', [one], seed, true),
    new RunningSide('plain, bytes cut', other.port, 'cut', [other], seed, true),
  ];
}

function startServer(t: Teardown, primary?: Redis): Promise<Redis> {
  return startRedis(t, {
    config: { 'enable-debug-command': 'yes', hz: '100' },
    ...(primary === undefined ? {} : { replicaOf: primary }),
  });
}

class RunningSide implements Side {
  readonly name: string;
  readonly #port: number;
  readonly #manner: Manner;
  readonly #servers: readonly Redis[];
  readonly #seed: number;
  readonly readsAtPrimary: boolean;

  constructor(
    name: string,
    port: number,
    manner: Manner,
    servers: readonly Redis[],
    seed: number,
    readsAtPrimary: boolean,
  ) {
    this.name = name;
    this.readsAtPrimary = readsAtPrimary;
    this.#port = port;
    this.#manner = manner;
    this.#servers = servers;
    this.#seed = seed;
  }

  async runAll(programs: readonly Program[]): Promise<Entry[][]> {
    // Emptying goes the way of the clients, so that whoever remembers scripts forgets them too.
    const cleaner = await Connection.to(this.#port);
    const observers = await Promise.all(this.#servers.map(({ port }) => Connection.to(port)));
    const settled = async (): Promise<void> => {
      const replicas = this.#servers.length - 1;
      if (replicas === 0) return;
      // WAIT knows the writes of its own connection; any command makes it know all there were.
      await observers[0]?.ask('PING');
      await observers[0]?.ask('WAIT', String(replicas), '5000');
    };
    const blocked = async (count: number): Promise<boolean> => {
      const deadline = performance.now() + PATIENCE_MS;
      while ((await blockedClients(observers)) !== count) if (performance.now() > deadline) return false;
      return true;
    };
    const random = seededRandom(this.#seed);
    const entries: Entry[][] = [];
    let stuck = 0;
    for (const program of programs) {
      if (stuck === MOST_STUCK) break;
      await cleaner.ask('FLUSHALL');
      await cleaner.ask('SCRIPT', 'FLUSH');
      await cleaner.ask('FUNCTION', 'FLUSH');
      await settled();
      const got = await run(program, { port: this.#port, manner: this.#manner, random, settled, blocked });
      entries.push(got);
      if (got.at(-1)?.replies.at(-1)?.startsWith(missingMark) !== true) continue;
      stuck++;
      // A pause that was not lifted would stop the programs behind it too.
      await observers[0]?.ask('CLIENT', 'UNPAUSE');
    }
    for (const connection of [cleaner, ...observers]) connection.destroy();
    return entries;
  }
}

async function blockedClients(observers: readonly Connection[]): Promise<number> {
  const pages = await Promise.all(observers.map((observer) => observer.ask('INFO', 'clients')));
  return pages.reduce((sum, page) => sum + Number(/blocked_clients:(\d+)/.exec(content(page))?.[1] ?? 0), 0);
}
