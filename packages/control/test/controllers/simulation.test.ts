/**
 * A small mesh in fast motion: Services, pods, Leases, a cache that lags, writes that fail, outages in which nobody is
 * heard. From a seed, which is printed with every failure.
 *
 * Throughout: endpoints that nobody touches never disappear, no slice is too full, an outage does not empty a Service.
 * In the end, when everything has settled: slices and Endpoints say what the pods say, the dead are gone and the living
 * are ready, and nothing is written any more.
 */

import type { Endpoint, Pod, Service } from '@outrigger/core/api';
import {
  ApiError,
  endpointsKind,
  endpointSliceKind,
  leaseKind,
  podKind,
  serviceKind,
} from '@outrigger/core/api';
import type { Random } from '@outrigger/core/clock';
import { seededRandom } from '@outrigger/core/clock';
import { test } from 'tap';
import type { Test } from 'tap';
import { ipAt, Lab, serviceObject, setConditions } from './lab.ts';
import type { LabOptions } from './lab.ts';

const leaseSeconds = 10;
const steps = 250;
const apps = ['a', 'b', 'c'] as const;
const maxPerSlice = 7;

class Mesh {
  readonly #options: LabOptions;
  #lab: Lab | undefined;
  readonly #t: Test;
  readonly #random: Random;
  readonly #label: string;
  /** Pods whose process lives: it renews its Lease, and says how its containers are. */
  readonly #living = new Set<string>();
  /** Pods that are there from the start, ready, and never touched. */
  readonly #steady = new Map<string, string>();
  #outageUntil = 0;
  #failing = false;
  #events = 0;
  #pods = 0;

  constructor(t: Test, seed: number) {
    this.#t = t;
    this.#random = seededRandom(seed);
    this.#label = `seed ${seed}`;
    this.#options = {
      seed,
      lagMs: () => this.#below(4) * 40,
      controllers: {
        maxEndpointsPerSlice: maxPerSlice,
        maxEndpointsAddresses: 20,
        removeAfterMs: 60_000,
        holdMs: 120_000,
        eventsPerSecond: 100,
      },
    };
  }

  get lab(): Lab {
    if (this.#lab === undefined) throw new Error('not started');
    return this.#lab;
  }

  async start(): Promise<void> {
    const lab = await Lab.open(this.#options);
    this.#lab = lab;
    for (const app of apps) await lab.create(serviceKind, serviceObject(app, { selector: { app } }));
    for (const app of apps) {
      for (let i = 0; i < 9; i += 1) {
        this.#steady.set(ipAt(this.#pods), app);
        await this.#addPod(app);
      }
    }
    await lab.start();
    await this.#pass(10);
    // From here on every single write is looked at, and some of the controllers' fail.
    lab.api.onWrite = ({ kind, verb }) => {
      this.#checkNow();
      if (this.#failing && kind !== 'Lease' && verb !== 'create' && this.#random.next() < 0.2) {
        throw this.#random.next() < 0.5
          ? ApiError.conflict(podKind, 'x')
          : ApiError.serviceUnavailable('disk full');
      }
    };
  }

  async step(): Promise<void> {
    for (let i = this.#below(4); i > 0; i -= 1) await this.#event();
    const now = this.lab.clock.now();
    // With half a minute in between, in which everyone is heard: outages without end are another test.
    if (now > this.#outageUntil + 30_000 && this.#random.next() < 0.05) {
      this.#outageUntil = now + 1_000 * (5 + this.#below(60));
    }
    await this.#pass(1);
  }

  /** Everyone alive is heard for long enough for the dead to be found out and removed. */
  async calm(): Promise<void> {
    this.#outageUntil = 0;
    await this.#pass(400);
  }

  checkSettled(): void {
    const { lab } = this;
    const living = [...this.#living].sort();
    const pods = lab.api.list(podKind);
    this.#t.strictSame(
      pods.map(({ metadata }) => metadata.name).sort(),
      living,
      `the living are left (${this.#label})`,
    );
    for (const service of lab.api.list(serviceKind)) {
      const name = service.metadata.name ?? '';
      const want = pods
        .filter((pod) => selects(service, pod))
        .map(truth)
        .sort();
      const slices = lab.slicesOf(name);
      const said = slices.flatMap(({ endpoints }) => endpoints ?? []).map(saying);
      this.#t.strictSame(said.sort(), want, `slices of ${name} say what its pods say (${this.#label})`);
      this.#t.ok(
        slices.length <= Math.max(1, want.length),
        `no slice is empty beside others (${this.#label})`,
      );
      const subsets = lab.get(endpointsKind, name).subsets ?? [];
      const ready = subsets
        .flatMap(({ addresses }) => addresses ?? [])
        .map(({ ip }) => ip)
        .sort();
      const wantReady = pods
        .filter((pod) => selects(service, pod) && isReady(pod))
        .map(({ status }) => status?.podIP ?? '');
      this.#t.strictSame(ready, wantReady.sort().slice(0, 20), `Endpoints of ${name} (${this.#label})`);
    }
    const names = new Set(lab.api.list(serviceKind).map(({ metadata }) => metadata.uid));
    const owners = lab.api.list(endpointSliceKind).map(({ metadata }) => metadata.ownerReferences?.[0]?.uid);
    this.#t.ok(
      owners.every((uid) => names.has(uid)),
      `every slice has its Service (${this.#label})`,
    );
    const leases = lab.api.list(leaseKind).map(({ metadata }) => metadata.name ?? '');
    this.#t.strictSame(leases.sort(), living, `no Lease outlives its pod (${this.#label})`);
    const writes = lab.writesOf('EndpointSlice') + lab.writesOf('Endpoints');
    this.#t.ok(
      writes <= 4 * this.#events + 100,
      `${writes} writes for ${this.#events} events (${this.#label})`,
    );
  }

  async checkQuiet(): Promise<void> {
    this.#failing = false;
    const others = this.lab.api.writes.filter(({ kind }) => kind !== 'Lease').length;
    await this.#pass(100);
    const now = this.lab.api.writes.filter(({ kind }) => kind !== 'Lease').length;
    this.#t.equal(now - others, 0, `nothing is written when nothing changes (${this.#label})`);
  }

  /** Before any write: what readers see at this moment. */
  #checkNow(): void {
    const slices = this.lab.api.list(endpointSliceKind);
    const shown = new Map<string, string>();
    for (const { endpoints, metadata } of slices) {
      if ((endpoints?.length ?? 0) > maxPerSlice)
        this.#t.fail(`a slice of ${endpoints?.length} (${this.#label})`);
      for (const { addresses, conditions } of endpoints ?? []) {
        if (conditions?.ready === true)
          shown.set(addresses[0] ?? '', metadata.labels?.['kubernetes.io/service-name'] ?? '');
      }
    }
    for (const [ip, app] of this.#steady) {
      if (shown.get(ip) !== app)
        this.#t.fail(`${ip} of ${app} disappeared at ${this.lab.clock.now()} (${this.#label})`);
    }
  }

  /** Time passes; whoever lives renews every three seconds, unless nobody gets through. */
  async #pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      const now = this.lab.clock.now();
      if (now >= this.#outageUntil && Math.floor(now / 1_000) % 3 === 0) {
        await this.lab.renew(
          ...[...this.#living].filter((name) => this.lab.find(leaseKind, name) !== undefined),
        );
      }
      await this.lab.advance(1);
    }
  }

  async #event(): Promise<void> {
    this.#events += 1;
    this.#failing = false;
    const touchable = this.lab.api
      .list(podKind)
      .filter(({ status }) => !this.#steady.has(status?.podIP ?? ''));
    const pod = touchable[this.#below(touchable.length)];
    const name = pod?.metadata.name ?? '';
    const kind = this.#below(100);
    const outage = this.lab.clock.now() < this.#outageUntil;
    if (pod === undefined || kind < 30) {
      // Who cannot renew cannot register either.
      if (!outage) await this.#addPod(apps[this.#below(apps.length)] ?? 'a');
    } else if (kind < 55) await this.#toggle(pod, outage);
    else if (kind < 65) this.#living.delete(name);
    else if (kind < 80) await this.#leave(pod);
    else if (kind < 90) await this.#relabel(name);
    else await this.#touchService();
    this.#failing = true;
  }

  async #addPod(app: string): Promise<void> {
    const index = this.#pods++;
    const name = `${app}-${index}`;
    const options = { labels: { app }, ip: ipAt(index), node: `n${index % 3}`, lease: leaseSeconds };
    // Those that were promised to be steady are ready from the start.
    await this.lab.pod(name, {
      ...options,
      ready: this.#steady.has(options.ip) || this.#random.next() < 0.7,
    });
    this.#living.add(name);
  }

  /** What a probe does to a living pod. */
  async #toggle(pod: Pod, outage: boolean): Promise<void> {
    if (outage || !this.#living.has(pod.metadata.name ?? '')) return;
    await this.lab.change(podKind, pod.metadata.name ?? '', (now) =>
      setConditions(now, ['Ready', 'ContainersReady'], isReady(pod) ? 'False' : 'True'),
    );
  }

  /** Asked to go, with time to drain or without; its process ends. */
  async #leave(pod: Pod): Promise<void> {
    this.#living.delete(pod.metadata.name ?? '');
    if (this.#random.next() < 0.5) await this.lab.remove(podKind, pod.metadata.name ?? '');
    else
      await this.lab.api.deleteGracefully(
        podKind,
        this.lab.get(podKind, pod.metadata.name ?? ''),
        5 + this.#below(30),
      );
  }

  async #relabel(name: string): Promise<void> {
    const app = apps[this.#below(apps.length)] ?? 'a';
    await this.lab.change(podKind, name, ({ metadata }) => (metadata.labels = { ...metadata.labels, app }));
  }

  async #touchService(): Promise<void> {
    const app = apps[this.#below(apps.length)] ?? 'a';
    const team = String(this.#below(3));
    await this.lab.change(serviceKind, app, ({ metadata }) => (metadata.labels = { team }));
  }

  #below(n: number): number {
    return Math.floor(this.#random.next() * n);
  }
}

function selects(service: Service, { metadata, status }: Pod): boolean {
  return metadata.labels?.['app'] === service.spec.selector?.['app'] && status?.podIP !== undefined;
}

function isReady({ status }: Pod): boolean {
  return status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
}

function truth(pod: Pod): string {
  return `${pod.status?.podIP} ${pod.metadata.uid} ${pod.spec.nodeName} ${isReady(pod)}`;
}

function saying({ addresses, targetRef, nodeName, conditions }: Endpoint): string {
  return `${addresses[0]} ${targetRef?.uid} ${nodeName} ${conditions?.ready}`;
}

for (const seed of [1, 2, 3, 4]) {
  test(`seed ${seed}`, async (t) => {
    const mesh = new Mesh(t, seed);
    await mesh.start();
    for (let step = 0; step < steps; step += 1) await mesh.step();
    await mesh.calm();
    mesh.checkSettled();
    await mesh.checkQuiet();
    await mesh.lab.stop();
  });
}
