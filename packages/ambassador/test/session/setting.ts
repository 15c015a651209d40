/** What the ambassador's tests stand on: real Redis servers, an ambassador in this process, clients that speak raw bytes. */

import { eventually, testDeps } from '@outrigger/core/testing';
import type { TestDeps } from '@outrigger/core/testing';
import { ReplyEvent, ReplyScanner } from '@outrigger/core/resp';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { ambassadorDaemon, parseConfig, start } from '../../src/index.ts';
import type { AmbassadorConfig, AmbassadorDeps } from '../../src/index.ts';
import { startRedis } from '../../../../test/harness/index.ts';
import type { Redis, Teardown } from '../../../../test/harness/index.ts';

export interface Setting {
  readonly primary: Redis;
  readonly replicas: readonly Redis[];
}

/** A primary with replicas that have synced. */
export async function startServers(t: Teardown, replicas: number): Promise<Setting> {
  const primary = await startRedis(t);
  const followers: Redis[] = [];
  for (let i = 0; i < replicas; i++) followers.push(await startRedis(t, { replicaOf: primary }));
  for (const follower of followers) await synced(follower);
  return { primary, replicas: followers };
}

export async function synced(replica: Redis): Promise<void> {
  await eventually('the replica follows', async () =>
    (await replica.cli('INFO', 'replication')).includes('master_link_status:up'),
  );
}

export interface Running {
  readonly port: number;
  readonly adminUrl: string;
  readonly deps: TestDeps;
  readonly daemon: Awaited<ReturnType<typeof start>>;
  /** The sum of a metric's series with these labels: `metric('commands_total', 'class="read",route="replica"')`. */
  metric(name: string, labels?: string): Promise<number>;
  client(): Promise<Client>;
}

/** Configuration as the command line gives it: defaults of the schema, then what the test says. */
export function config(values: Readonly<Record<string, unknown>>): AmbassadorConfig {
  const defaults = Object.entries(ambassadorDaemon.schema.fields).flatMap(([name, field]) =>
    field.default === undefined ? [] : [[name, field.default] as const],
  );
  return parseConfig({
    ...Object.fromEntries(defaults),
    listen: '127.0.0.1:0',
    admin: '127.0.0.1:0',
    ...values,
  });
}

export async function startAmbassador(
  t: Teardown,
  values: Readonly<Record<string, unknown>>,
  replaced: Partial<AmbassadorDeps> = {},
): Promise<Running> {
  const deps = testDeps(replaced);
  const daemon = await start(config(values), { ...replaced, ...deps });
  t.teardown(() => daemon.close());
  const port = Number(daemon.addresses['redis']?.split(':').at(-1));
  const adminUrl = `http://${daemon.addresses['admin']}`;
  return {
    port,
    adminUrl,
    deps,
    daemon,
    metric: async (name, labels) => readMetric(await deps.metrics.page(), name, labels),
    client: async () => {
      const client = await Client.connect(port);
      t.teardown(() => client.destroy());
      return client;
    },
  };
}

/** The sum over every series that has these labels, whatever others it has. */
function readMetric(page: string, name: string, labels = ''): number {
  const series = `outrigger_ambassador_${name}`;
  const wanted = labels.match(/\w+="[^"]*"/g) ?? [];
  let sum = 0;
  for (const line of page.split('\n')) {
    const [, own, all = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (own === series && wanted.every((label) => `,${all}`.includes(`,${label}`))) sum += Number(value);
  }
  return sum;
}

/** A connection that sends bytes and receives whole replies as bytes. */
export class Client {
  readonly socket: Socket;
  readonly #scanner = new ReplyScanner();
  readonly #received: Buffer[] = [];
  readonly #replies: string[] = [];
  #partial: Buffer[] = [];
  #ended = false;
  #changed: () => void = () => {};

  static async connect(port: number): Promise<Client> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new Client(socket);
  }

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received.push(chunk);
      this.#scan(chunk);
      this.#changed();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#ended = true;
      this.#changed();
    });
  }

  /** Every byte received so far, as latin1. */
  get bytes(): string {
    return Buffer.concat(this.#received).toString('latin1');
  }

  get ended(): boolean {
    return this.#ended;
  }

  send(bytes: Uint8Array | string): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** The next `count` replies, as latin1. Rejects when the connection ends before. */
  async replies(count: number): Promise<string[]> {
    await this.#until(() => this.#replies.length >= count || this.#ended);
    if (this.#replies.length < count) {
      throw new Error(
        `closed after ${this.#replies.length} of ${count} replies: ${JSON.stringify(this.bytes)}`,
      );
    }
    return this.#replies.splice(0, count);
  }

  /** One command, one reply. */
  async ask(...args: string[]): Promise<string> {
    this.send(command(...args));
    return (await this.replies(1))[0] as string;
  }

  /** Resolves when the other side has closed. */
  closed(): Promise<void> {
    return this.#until(() => this.#ended);
  }

  destroy(): void {
    this.socket.destroy();
  }

  #scan(chunk: Buffer): void {
    let from = 0;
    while (this.#scanner.next(chunk, from) !== ReplyEvent.more) {
      const end = this.#scanner.offset;
      this.#replies.push(Buffer.concat([...this.#partial, chunk.subarray(from, end)]).toString('latin1'));
      this.#partial = [];
      from = end;
    }
    if (from < chunk.length) this.#partial.push(chunk.subarray(from));
  }

  async #until(done: () => boolean): Promise<void> {
    while (!done()) await new Promise<void>((resolve) => (this.#changed = resolve));
  }
}

export function command(...args: string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(arg, 'latin1')}\r\n${arg}\r\n`).join('')}`;
}
