/** Places written as `svc:NAMESPACE/NAME[:PORT]`: the endpoints of a Service, watched. */

import { endpointSliceKind, serviceKind } from '../../api/index.ts';
import type { ServiceTarget } from '../../net/index.ts';
import type { HoldRule } from '../hold/shrink-hold.ts';
import type { Changes } from '../reflector/types.ts';
import { scopesOfObjects, scopesOfSlices } from '../source/scopes.ts';
import type { Source } from '../source/source.ts';
import type { Watch } from '../source/watch-set.ts';
import { endpointsOf, projectService, projectSlice } from './endpoints.ts';
import type { ServiceEndpoint, ServiceRecord, SliceRecord } from './endpoints.ts';

/** The endpoints of a Service, as they change. */
export interface EndpointWatch {
  /** Now, ready or not; empty until the first are known. */
  readonly endpoints: readonly ServiceEndpoint[];
  /** Why none is ready; '' when one is. */
  readonly problem: string;
  close(): void;
}

/** Watches a Service's endpoints; resolves once they are known, and calls `onChange` from then on. */
export type WatchService = (target: ServiceTarget, onChange: () => void) => Promise<EndpointWatch>;

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

/** Ready endpoints that a doubtful list lacks stay for a while: who asks them judges them meanwhile. */
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
    const now = (): ReturnType<typeof endpointsOf> =>
      endpointsOf(target, [...this.#services.values()][0], this.#slices.values());
    return {
      get endpoints() {
        return now().endpoints;
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
