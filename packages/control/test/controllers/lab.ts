/** Controllers at work on a fake clock: what others do to the API, and what became of it. */

import type {
  Endpoint,
  EndpointSlice,
  Kind,
  KubernetesObject,
  Lease,
  Pod,
  Service,
} from '@outrigger/core/api';
import {
  equalJson,
  endpointSliceKind,
  eventKind,
  formatMicroTime,
  leaseKind,
  podKind,
  serviceKind,
} from '@outrigger/core/api';
import { FakeClock, seededRandom } from '@outrigger/core/clock';
import { createLogger } from '@outrigger/core/log';
import { Metrics } from '@outrigger/core/metrics';
import { metricsObserver, registeredLabel, startControllers } from '../../src/controllers/index.ts';
import type { ControllerOptions, Controllers } from '../../src/controllers/index.ts';
import { FakeApi } from './fake-api.ts';
import type { LabApi } from './lab-api.ts';
import { ServiceApi } from './service-api.ts';

export interface LabOptions {
  /** The true service instead of the fake. */
  readonly service?: boolean;
  /** How much later than a write the fake shows it. */
  readonly lagMs?: () => number;
  readonly controllers?: Partial<ControllerOptions>;
  readonly seed?: number;
}

export class Lab {
  readonly clock: FakeClock;
  readonly api: LabApi;
  metrics = new Metrics({ processMetrics: false });
  readonly logged: string[] = [];
  readonly #options: LabOptions;
  #controllers: Controllers | undefined;

  private constructor(clock: FakeClock, api: LabApi, options: LabOptions) {
    this.clock = clock;
    this.api = api;
    this.#options = options;
  }

  /** A control service with an empty store. */
  static async open(options: LabOptions = {}): Promise<Lab> {
    const clock = new FakeClock();
    const api = options.service === true ? await ServiceApi.open(clock) : new FakeApi(clock, options.lagMs);
    return new Lab(clock, api, options);
  }

  /** Its controllers running, too. */
  static async started(options: LabOptions = {}): Promise<Lab> {
    const lab = await Lab.open(options);
    await lab.start();
    return lab;
  }

  async start(): Promise<void> {
    this.metrics = new Metrics({ processMetrics: false });
    this.#controllers = startControllers(
      this.api,
      {
        clock: this.clock,
        random: seededRandom(this.#options.seed ?? 1),
        log: createLogger({
          level: 'debug',
          format: 'text',
          write: (line) => void this.logged.push(line),
          wall: () => this.clock.wall(),
        }),
        observer: metricsObserver(this.metrics),
      },
      this.#options.controllers,
    );
    await this.settle();
    await this.#controllers.started;
  }

  async stop(): Promise<void> {
    await this.#controllers?.close();
    this.#controllers = undefined;
  }

  /** The end of the service, too. */
  async close(): Promise<void> {
    await this.stop();
    await this.api.close();
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < this.api.turns; turn += 1) await this.clock.advance(0);
  }

  async advance(seconds: number): Promise<void> {
    await this.clock.advance(seconds * 1_000);
    if (this.api.turns > 1) await this.settle();
  }

  async create<T extends KubernetesObject>(kind: Kind<T>, object: T): Promise<T> {
    const created = await this.api.create(kind, object);
    await this.settle();
    return created;
  }

  /** A change by someone else, through the API; status is a part like any other here. */
  async change<T extends KubernetesObject>(
    kind: Kind<T>,
    name: string,
    change: (object: T) => void,
  ): Promise<T> {
    const object = this.get(kind, name);
    const statusOf = (of: T): unknown => (of as { status?: unknown }).status;
    const before = structuredClone(statusOf(object));
    change(object);
    const updated = await this.api.update(kind, object);
    const written = equalJson(before, statusOf(object))
      ? updated
      : await this.api.updateStatus(kind, { ...updated, status: statusOf(object) });
    await this.settle();
    return written;
  }

  async remove<T extends KubernetesObject>(kind: Kind<T>, name: string): Promise<void> {
    await this.api.delete(kind, this.get(kind, name));
    await this.settle();
  }

  get<T extends KubernetesObject>(kind: Kind<T>, name: string): T {
    const object = this.find(kind, name);
    if (object === undefined) throw new Error(`there is no ${kind.kind} ${name}`);
    return object;
  }

  find<T extends KubernetesObject>(kind: Kind<T>, name: string): T | undefined {
    const [namespace = '', short = ''] = name.includes('/') ? name.split('/') : ['default', name];
    return this.api.find(kind, namespace, short);
  }

  service(name: string, spec: Partial<Service['spec']> = {}): Promise<Service> {
    return this.create(serviceKind, serviceObject(name, spec));
  }

  /** A pod that is ready unless told otherwise. */
  async pod(name: string, options: PodOptions = {}): Promise<Pod> {
    const pod = podObject(name, options);
    const created = await this.api.create(podKind, pod);
    const updated = await this.api.updateStatus(podKind, {
      ...created,
      ...(pod.status && { status: pod.status }),
    });
    if (options.lease !== undefined) await this.#lease(name, options.lease);
    await this.settle();
    return updated;
  }

  /** What `outrigger register` does every few seconds. */
  async renew(...names: string[]): Promise<void> {
    for (const name of names) {
      const lease = this.get(leaseKind, name);
      await this.api.update(leaseKind, {
        ...lease,
        spec: { ...lease.spec, renewTime: formatMicroTime(this.clock.wall()) },
      });
    }
    await this.settle();
  }

  /** Lets time pass while some keep renewing. */
  async live(seconds: number, ...alive: string[]): Promise<void> {
    for (let passed = 0; passed < seconds; passed += 1) {
      await this.renew(...alive);
      await this.advance(1);
    }
  }

  slicesOf(service: string): EndpointSlice[] {
    return this.api
      .list(endpointSliceKind)
      .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === service);
  }

  endpointsOf(service: string): Endpoint[] {
    return this.slicesOf(service).flatMap(({ endpoints }) => endpoints ?? []);
  }

  /** Addresses that take new connections, sorted. */
  readyOf(service: string): string[] {
    const ready = this.endpointsOf(service).filter(({ conditions }) => conditions?.ready === true);
    return ready.map(({ addresses }) => addresses[0] ?? '').sort();
  }

  readyCondition(pod: string): { status: string; reason: string | undefined } | undefined {
    const ready = this.get(podKind, pod).status?.conditions?.find(({ type }) => type === 'Ready');
    return ready === undefined ? undefined : { status: ready.status, reason: ready.reason };
  }

  events(): string[] {
    return this.api
      .list(eventKind)
      .map(({ reason, involvedObject }) => `${reason} ${involvedObject.kind}/${involvedObject.name}`);
  }

  writesOf(kind: string): number {
    return this.api.writes.filter((write) => write.kind === kind).length;
  }

  async metric(line: string): Promise<number> {
    const page = await this.metrics.page();
    const found = page.split('\n').find((candidate) => candidate.startsWith(`${line} `));
    return Number(found?.slice(line.length + 1) ?? 0);
  }

  async #lease(name: string, seconds: number): Promise<void> {
    await this.api.create(leaseKind, leaseObject(name, seconds, this.get(podKind, name), this.clock.wall()));
  }
}

export interface PodOptions {
  readonly labels?: Record<string, string>;
  readonly ip?: string;
  readonly ready?: boolean;
  readonly node?: string;
  readonly ports?: readonly { readonly name: string; readonly port: number }[];
  readonly phase?: NonNullable<Pod['status']>['phase'];
  /** Seconds; makes it a registered pod. */
  readonly lease?: number;
}

export function serviceObject(name: string, spec: Partial<Service['spec']> = {}): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec: {
      type: 'ClusterIP',
      sessionAffinity: 'None',
      ipFamilies: ['IPv4'],
      selector: { app: name },
      ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 8080 }],
      ...spec,
    },
  };
}

export function podObject(name: string, options: PodOptions = {}): Pod {
  const {
    labels = { app: name.replace(/-[^-]*$/, '') },
    ip = '10.0.0.1',
    ready = true,
    node,
    ports,
    phase,
    lease,
  } = options;
  const status = ready ? 'True' : 'False';
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      labels: lease === undefined ? labels : { ...labels, [registeredLabel]: 'true' },
    },
    spec: {
      containers: [
        {
          name: 'app',
          image: 'example/app',
          ports: (ports ?? []).map((port) => ({
            name: port.name,
            containerPort: port.port,
            protocol: 'TCP' as const,
          })),
        },
      ],
      ...(node === undefined ? {} : { nodeName: node }),
    },
    status: {
      phase: phase ?? 'Running',
      ...(ip === '' ? {} : { podIP: ip, podIPs: [{ ip }] }),
      conditions: [
        { type: 'ContainersReady', status, lastTransitionTime: '2026-01-01T00:00:00Z' },
        { type: 'Ready', status, lastTransitionTime: '2026-01-01T00:00:00Z' },
      ],
    },
  };
}

function leaseObject(name: string, seconds: number, owner: Pod, wallMs: number): Lease {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name,
      namespace: 'default',
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name, uid: owner.metadata.uid ?? '' }],
    },
    spec: { holderIdentity: name, leaseDurationSeconds: seconds, renewTime: formatMicroTime(wallMs) },
  };
}

/** What a probe reports: conditions of these types, without any other reason. */
export function setConditions(pod: Pod, types: readonly string[], status: 'True' | 'False'): void {
  const conditions = (pod.status?.conditions ?? []).map((condition) => {
    const { reason: _reason, message: _message, ...rest } = condition;
    return types.includes(condition.type) ? { ...rest, status } : condition;
  });
  pod.status = { ...pod.status, conditions };
}

/** `10.0.x.y` for any number. */
export function ipAt(index: number): string {
  return `10.${1 + Math.floor(index / 65_536)}.${Math.floor(index / 256) % 256}.${index % 256}`;
}
