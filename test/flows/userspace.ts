/**
 * The userspace executor: published ports on loopback, relaying to backends that say which endpoint they stand for.
 *
 * Endpoints of the table have addresses that this machine does not; the network joint leads a dial of each to a loopback
 * listener of its own. Everything else is what the proxy runs: catalog, planner, published ports, relay.
 */

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { FakeClock } from '@outrigger/core/clock';
import { formatAddress, systemNet } from '@outrigger/core/net';
import type { Net } from '@outrigger/core/net';
import { testDeps } from '@outrigger/core/testing';
import type { Catalog } from '../../packages/proxy/src/catalog/index.ts';
import { PublishedPorts } from '../../packages/proxy/src/daemon/ports.ts';
import { Planner } from '../../packages/proxy/src/plan/index.ts';
import type { Teardown } from '../harness/index.ts';
import { catalogOf, contextOf, toChange } from './cluster.ts';
import { publicationOf } from './publication.ts';
import type { Publication } from './publication.ts';
import type { Connection, FlowCase, FlowObject, Sequence } from './types.ts';

/** What stands for the endpoints: one listener for each, kept for all cases. */
export class Backends {
  readonly #t: Teardown;
  readonly #ports = new Map<string, number>();
  /** Dials of what no slice names: a fault of the proxy, whatever the table says. */
  readonly strangers: string[] = [];

  constructor(t: Teardown) {
    this.#t = t;
  }

  /** A listener for every endpoint of the slices among `objects`, ready or not. */
  async add(objects: readonly FlowObject[]): Promise<void> {
    for (const key of objects.flatMap(endpointsIn)) {
      if (!this.#ports.has(key)) this.#ports.set(key, await this.#listen(key));
    }
  }

  get net(): Net {
    const system = systemNet();
    return {
      ...system,
      connect: (address, options) => {
        const port = this.#ports.get(formatAddress(address));
        if (port === undefined) this.strangers.push(formatAddress(address));
        return system.connect({ kind: 'tcp', host: '127.0.0.1', port: port ?? 1 }, options);
      },
    };
  }

  async #listen(key: string): Promise<number> {
    const server = createServer((socket) => void socket.on('error', () => {}).end(key));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#t.teardown(() => void server.close());
    return (server.address() as AddressInfo).port;
  }
}

/** The proxy of one case; ports are published when a connection first asks for them. */
export class UserspaceProxy {
  readonly #clock = new FakeClock();
  readonly #catalog: Catalog;
  readonly #planner: Planner;
  readonly #ports: PublishedPorts;
  readonly #backends: Backends;
  readonly #publications = new Map<string, Publication>();
  #objects: readonly FlowObject[];

  constructor(flowCase: FlowCase, backends: Backends) {
    this.#objects = flowCase.objects;
    this.#backends = backends;
    this.#catalog = catalogOf(flowCase.objects);
    this.#planner = new Planner(this.#catalog, contextOf(flowCase, 'userspace'));
    this.#ports = new PublishedPorts(testDeps({ clock: this.#clock, net: backends.net }));
    this.#planner.sync();
  }

  /** The endpoint that answered; undefined: the connection was reset. */
  async connect(connection: Connection): Promise<string | undefined> {
    const publication = publicationOf(this.#objects, connection);
    if (publication === undefined) throw new Error('there is nothing to publish');
    return answerOf(await this.#published(publication));
  }

  async apply(objects: readonly FlowObject[]): Promise<void> {
    await this.#backends.add(objects);
    this.#objects = [...this.#objects, ...objects];
    this.#catalog.apply(objects.map(toChange));
    this.#planner.sync();
    this.#ports.apply(this.#planner.plans, true);
  }

  wait(ms: number): Promise<void> {
    return this.#clock.advance(ms);
  }

  close(): void {
    this.#ports.close();
  }

  async #published(publication: Publication): Promise<number> {
    const name = `${publication.service}:${publication.port ?? ''}`;
    if (!this.#publications.has(name)) {
      this.#publications.set(name, publication);
      await this.#ports.configure([...this.#publications].map(([key, one]) => toPublish(key, one)));
      this.#ports.apply(this.#planner.plans, true);
    }
    return Number(this.#ports.addresses()[name]?.split(':').at(-1));
  }
}

/** The endpoints reached by each connecting step. */
export async function executeSequence(
  proxy: UserspaceProxy,
  { steps }: Sequence,
  onStep: (step: number, endpoints: readonly (string | undefined)[]) => void,
): Promise<void> {
  for (const [index, step] of steps.entries()) {
    if (step.kind === 'wait') await proxy.wait(step.ms);
    else if (step.kind === 'apply') await proxy.apply(step.objects);
    else {
      const endpoints: (string | undefined)[] = [];
      for (let i = 0; i < step.times; i++) endpoints.push(await proxy.connect(step));
      onStep(index, endpoints);
    }
  }
}

function toPublish(name: string, { service: key, port }: Publication) {
  const [namespace = '', service = ''] = key.split('/');
  const address = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
  return { namespace, service, port, address, name };
}

function endpointsIn(object: FlowObject): string[] {
  if (object.kind !== 'EndpointSlice') return [];
  const { endpoints = [], ports = [] } = object as unknown as {
    endpoints?: readonly { addresses: readonly string[] }[];
    ports?: readonly { port: number }[];
  };
  return endpoints.flatMap(({ addresses }) =>
    addresses.flatMap((host) => ports.map(({ port }) => formatAddress({ kind: 'tcp', host, port }))),
  );
}

async function answerOf(port: number): Promise<string | undefined> {
  const socket = connect({ host: '127.0.0.1', port });
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of socket) chunks.push(chunk as Buffer);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') return undefined;
    throw error;
  }
  return Buffer.concat(chunks).toString();
}
