/** Servers written as `svc:NAMESPACE/NAME[:PORT]`: the ready endpoints of a Service, watched. */

import { endpointSliceKind, serviceKind } from '@outrigger/core/api';
import type { EndpointSlice, Service } from '@outrigger/core/api';
import type { ServiceTarget } from '@outrigger/core/net';
import { scopesOfObjects, scopesOfSlices } from '@outrigger/core/watch';
import type { Changes, HoldRule, Source, Watch } from '@outrigger/core/watch';
import { serverAt } from '../upstream/server.ts';
import type { Server } from '../upstream/server.ts';
import type { EndpointWatch, WatchService } from './source.ts';

export interface ServiceRecord {
  readonly ports: readonly { readonly name: string; readonly port: number }[];
}

export interface SliceRecord {
  readonly service: string;
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  readonly endpoints: readonly SliceEndpoint[];
}

export interface SliceEndpoint {
  readonly address: string;
  readonly ready: boolean;
  /** The zone whose clients are meant to use it, or else the one it is in. */
  readonly zone?: string;
}

/** Watches each Service once, however often it is named. */
export function watchServices(source: Source): WatchService {
  const followed = new Map<string, Followed>();
  return async (target, onChange) => {
    const key = `${target.namespace}/${target.name}`;
    let service = followed.get(key);
    if (service === undefined) {
      service = new Followed(source, target, () => followed.delete(key));
      followed.set(key, service);
    }
    return service.join(target.port, onChange);
  };
}

/** The servers behind a Service's port; or why there is none. Pure. */
export function serversOf(
  target: ServiceTarget,
  service: ServiceRecord | undefined,
  slices: Iterable<SliceRecord>,
): { servers: Server[]; problem: string } {
  const name = `Service ${target.namespace}/${target.name}`;
  if (service === undefined) return { servers: [], problem: `${name} does not exist` };
  const { port: wanted } = target;
  const ports = service.ports.filter(
    (port) => wanted === undefined || port.name === wanted || String(port.port) === wanted,
  );
  const [port] = ports;
  const names = service.ports.map((one) => one.name || one.port).join(', ');
  if (port === undefined)
    return { servers: [], problem: `${name} has no TCP port ${wanted ?? ''} (it has: ${names})` };
  if (ports.length > 1) return { servers: [], problem: `${name} has several ports (${names}): name one` };
  const servers = new Map<string, Server>();
  for (const slice of slices) {
    const number = slice.ports.find((one) => one.name === port.name)?.port;
    if (number === undefined) continue;
    for (const { address, ready, zone } of slice.endpoints) {
      const server = serverAt({ kind: 'tcp', host: address, port: number });
      if (ready) servers.set(server.name, { ...server, zone });
    }
  }
  return {
    servers: [...servers.values()],
    problem: servers.size === 0 ? `${name} has no ready endpoint` : '',
  };
}

export function projectService(service: Service): ServiceRecord {
  const tcp = (service.spec.ports ?? []).filter(({ protocol = 'TCP' }) => protocol === 'TCP');
  return { ports: tcp.map(({ name = '', port }) => ({ name, port })) };
}

/** Undefined for slices of host names, and for what belongs to no Service. */
export function projectSlice(slice: EndpointSlice): SliceRecord | undefined {
  const service = slice.metadata.labels?.['kubernetes.io/service-name'];
  if (service === undefined || slice.addressType === 'FQDN') return undefined;
  const ports = (slice.ports ?? []).filter(({ protocol = 'TCP' }) => protocol === 'TCP');
  return {
    service: `${slice.metadata.namespace}/${service}`,
    ports: ports.flatMap(({ name = '', port }) => (port === undefined ? [] : [{ name, port }])),
    endpoints: (slice.endpoints ?? []).flatMap(({ addresses: [address], conditions, zone, hints }) => {
      if (address === undefined) return [];
      const near = hints?.forZones?.[0]?.name ?? zone;
      return [{ address, ready: conditions?.ready ?? true, ...(near === undefined ? {} : { zone: near }) }];
    }),
  };
}

/** Ready endpoints that a doubtful list lacks stay for a while: the poller judges them meanwhile. */
const endpointHold: HoldRule<SliceRecord> = {
  groupOf: (slice) => slice.service,
  readyIn: (slice) => slice.endpoints.filter(({ ready }) => ready).map(({ address }) => address),
  knownIn: (slice) => slice.endpoints.map(({ address }) => address),
  retain: (before, after, keep) => ({
    ...(after ?? before),
    endpoints: [
      ...(after?.endpoints.filter(({ address }) => !keep.has(address)) ?? []),
      ...before.endpoints.filter(({ address }) => keep.has(address)),
    ],
  }),
};

/** One Service with its slices, and everybody who named it. */
class Followed {
  readonly #target: ServiceTarget;
  readonly #watches: readonly Watch[];
  readonly #services = new Map<string, ServiceRecord>();
  readonly #slices = new Map<string, SliceRecord>();
  readonly #users = new Set<() => void>();
  readonly #onUnused: () => void;

  constructor(source: Source, target: ServiceTarget, onUnused: () => void) {
    this.#target = target;
    this.#onUnused = onUnused;
    this.#watches = [
      source.watch<ServiceRecord>({
        resource: serviceKind,
        scopes: scopesOfObjects([target]),
        project: projectService,
        onChanges: (changes) => this.#apply(this.#services, changes),
      }),
      source.watch<SliceRecord>({
        resource: endpointSliceKind,
        scopes: scopesOfSlices([target]),
        project: projectSlice,
        onChanges: (changes) => this.#apply(this.#slices, changes),
        hold: endpointHold,
      }),
    ];
  }

  async join(port: string | undefined, onChange: () => void): Promise<EndpointWatch> {
    this.#users.add(onChange);
    await Promise.all(this.#watches.map((watch) => watch.synced));
    const target = { ...this.#target, port };
    const now = (): ReturnType<typeof serversOf> =>
      serversOf(target, [...this.#services.values()][0], this.#slices.values());
    return {
      get servers() {
        return now().servers;
      },
      get problem() {
        return now().problem;
      },
      close: () => this.#leave(onChange),
    };
  }

  #leave(onChange: () => void): void {
    this.#users.delete(onChange);
    if (this.#users.size > 0) return;
    this.#onUnused();
    for (const watch of this.#watches) void watch.close();
  }

  #apply<R>(records: Map<string, R>, changes: Changes<R>): void {
    for (const { key } of changes.delete) records.delete(key);
    for (const { key, record } of changes.put) records.set(key, record);
    for (const onChange of this.#users) onChange();
  }
}
