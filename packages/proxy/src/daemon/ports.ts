/** The published ports of a configuration: opened at start, changed on reload without touching those that stay. */

import { formatAddress, RelayShare, warnOfExposure } from '@outrigger/core/net';
import type { Deps } from '@outrigger/core/lifecycle';
import { L4Metrics, PublishedPort, Sweeper } from '../l4/index.ts';
import { DEFAULT_SETTINGS, poolOf, publishedPort } from '../plan/index.ts';
import type { Plans, PortPlan } from '../plan/index.ts';
import { sameAddress } from './config.ts';
import type { Publish } from './config.ts';

/** What became of one `--publish`. */
export interface Publication {
  readonly publish: Publish;
  readonly port: PublishedPort;
  /** The Service port it stands for; undefined while there is none, and then `problem` says why. */
  plan: PortPlan | undefined;
  problem: string | undefined;
}

const notSynced = 'not synced yet';

export class PublishedPorts {
  readonly #deps: Deps;
  readonly #metrics: L4Metrics;
  readonly #share = new RelayShare();
  readonly #sweeper: Sweeper;
  readonly #publications = new Map<string, Publication>();
  /** Taken out by a reload, their connections still open. */
  readonly #leaving = new Set<PublishedPort>();

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#metrics = new L4Metrics(deps.metrics);
    this.#sweeper = new Sweeper(deps.clock, this.#share, () => this.#all());
  }

  get publications(): Iterable<Publication> {
    return this.#publications.values();
  }

  /**
   * Opens what is new, then closes what is gone; when opening fails everything stays as it was. An address that goes from
   * one Service to another keeps its listener: no connection is refused in between.
   */
  async configure(wanted: readonly Publish[]): Promise<void> {
    const fresh = wanted.filter((publish) => !this.#has(publish)).map((publish) => this.#create(publish));
    const before = [...this.#publications.values()];
    const heirs = new Map<Publication, Publication>();
    const opened: Publication[] = [];
    try {
      for (const publication of fresh) {
        const owner = before.find((one) => sameListener(one, publication) && !this.#isKept(one, wanted));
        if (owner !== undefined && !heirs.has(owner)) heirs.set(owner, publication);
        else {
          await publication.port.listen(publication.publish.address);
          opened.push(publication);
        }
      }
    } catch (error) {
      for (const { port } of opened) port.close();
      throw error;
    }
    for (const { publish } of opened) warnOfExposure(this.#deps.log, publish.name, publish.address);
    for (const [owner, heir] of heirs) heir.port.takeOver(owner.port);
    for (const publication of before) if (!this.#isKept(publication, wanted)) this.#leave(publication);
    for (const publication of fresh) this.#publications.set(publication.publish.name, publication);
  }

  /** Hands each port its part of the plan. While not `synced`, a new port waits for its Service to be known. */
  apply(plans: Plans, synced: boolean): void {
    for (const publication of this.#publications.values()) this.#applyOne(publication, plans, synced);
  }

  addresses(): Record<string, string> {
    const entries = [...this.#publications.values()].map(({ publish, port }) => [publish.name, port.name]);
    return Object.fromEntries(entries) as Record<string, string>;
  }

  /** No new connections; resolves when the last open one has ended. */
  async drain(): Promise<void> {
    this.#sweeper.drain();
    for (const port of this.#all()) port.stopAccepting();
    await Promise.all(Array.from(this.#all(), (port) => port.empty()));
  }

  close(): void {
    this.#sweeper.close();
    for (const port of this.#all()) port.close();
  }

  *#all(): Generator<PublishedPort> {
    for (const { port } of this.#publications.values()) yield port;
    yield* this.#leaving;
  }

  #has(publish: Publish): boolean {
    const known = this.#publications.get(publish.name);
    return known !== undefined && sameAddress(known.publish, publish);
  }

  #isKept({ publish }: Publication, wanted: readonly Publish[]): boolean {
    return wanted.some((one) => one.name === publish.name && sameAddress(one, publish));
  }

  #create(publish: Publish): Publication {
    const { clock, random, net, log } = this.#deps;
    const name = { service: `${publish.namespace}/${publish.service}`, port: publish.port ?? '' };
    const port = new PublishedPort(name, DEFAULT_SETTINGS, this.#share, {
      clock,
      random,
      net,
      metrics: this.#metrics,
      onEjected: (endpoint, reason) => {
        const forSeconds = Math.round((endpoint.ejectedUntilMs - clock.now()) / 1000);
        log.warn('endpoint ejected', { service: publish.name, endpoint: endpoint.key, reason, forSeconds });
      },
    });
    return { publish, port, plan: undefined, problem: notSynced };
  }

  #leave({ publish, port }: Publication): void {
    this.#publications.delete(publish.name);
    port.stopAccepting();
    this.#leaving.add(port);
    void port.empty().then(() => this.#leaving.delete(port));
  }

  #applyOne(publication: Publication, plans: Plans, synced: boolean): void {
    const { publish, port } = publication;
    const service = plans.get(`${publish.namespace}/${publish.service}`);
    const found =
      service === undefined
        ? { problem: `there is no Service ${publish.namespace}/${publish.service}` }
        : publishedPort(service, publish.port);
    const problem = 'problem' in found ? found.problem : undefined;
    const plan = 'plan' in found ? found.plan : undefined;
    if (!synced && publication.problem === notSynced) return;
    if (problem !== undefined && problem !== publication.problem) {
      this.#deps.log.warn('nothing to publish', { publish: publish.name, problem });
    }
    // The plan hands out the same object while nothing about the port changed.
    if (plan === undefined || plan !== publication.plan) {
      port.update(
        plan === undefined ? { endpoints: [], affinitySeconds: 0, settings: DEFAULT_SETTINGS } : poolOf(plan),
      );
    }
    publication.plan = plan;
    publication.problem = problem;
  }
}

/** Port 0 is another one each time. */
function sameListener(a: Publication, b: Publication): boolean {
  const { address } = b.publish;
  if (address.kind === 'tcp' && address.port === 0) return false;
  return a.port.name === formatAddress(address) || sameAddress(a.publish, b.publish);
}
