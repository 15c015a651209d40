/** The slices that mirror hand-written Endpoints, for readers that know slices alone. Pure. */

import type {
  Endpoint,
  EndpointAddress,
  Endpoints,
  EndpointSlice,
  EndpointSubset,
  IPFamily,
  Service,
} from '@outrigger/core/api';
import { ipFamily, isHeadless } from '@outrigger/core/api';
import { leaderAnnotation, mirrorManager, skipMirrorLabel } from '../names.ts';
import type { Group, SlicePlan } from '../slices/pack.ts';
import { packSlices, portsKey } from '../slices/pack.ts';

export interface MirrorOptions {
  readonly maxEndpointsPerSlice: number;
  readonly maxMirroredPerSubset: number;
  readonly triggerTime: string | undefined;
}

/** `endpoints` are undefined where nothing is to be mirrored: what is there is removed. */
export function reconcileMirror(
  service: Service | undefined,
  endpoints: Endpoints | undefined,
  existing: readonly EndpointSlice[],
  options: MirrorOptions,
): SlicePlan {
  if (service === undefined || endpoints === undefined || !isMirrored(service, endpoints)) {
    return { create: [], update: [], delete: existing };
  }
  const { name = '', namespace = '', uid = '' } = endpoints.metadata;
  const template = {
    namespace,
    serviceName: name,
    manager: mirrorManager,
    source: endpoints,
    headless: isHeadless(service.spec),
    owner: { apiVersion: 'v1', kind: 'Endpoints', name, uid, controller: true, blockOwnerDeletion: true },
    copyAnnotations: true,
    triggerTime: options.triggerTime,
  };
  const plans = families.map((family) =>
    packSlices({
      addressType: family,
      existing: existing.filter(({ addressType }) => addressType === family),
      groups: groupsOf(endpoints.subsets ?? [], family, options.maxMirroredPerSubset),
      maxPerSlice: options.maxEndpointsPerSlice,
      placeholder: false,
      template,
    }),
  );
  return {
    create: plans.flatMap(({ create }) => create),
    update: plans.flatMap(({ update }) => update),
    delete: plans.flatMap(({ delete: gone }) => gone),
  };
}

/** Only what a person writes: with a selector, endpoints come from pods, and so do slices. */
function isMirrored({ spec }: Service, { metadata }: Endpoints): boolean {
  return (
    Object.keys(spec.selector ?? {}).length === 0 &&
    metadata.deletionTimestamp === undefined &&
    metadata.labels?.[skipMirrorLabel] !== 'true' &&
    metadata.annotations?.[leaderAnnotation] === undefined
  );
}

const families: readonly IPFamily[] = ['IPv4', 'IPv6'];

/** Subsets that have the same ports share slices. An address that is both ready and not is ready. */
function groupsOf(subsets: readonly EndpointSubset[], family: IPFamily, max: number): Group[] {
  const groups = new Map<string, { readonly ports: Group['ports']; readonly endpoints: Endpoint[] }>();
  for (const subset of subsets) {
    const endpoints = [
      ...(subset.addresses ?? []).map((address) => endpointOf(address, true)),
      ...(subset.notReadyAddresses ?? []).map((address) => endpointOf(address, false)),
    ].slice(0, max);
    const ports = portsOf(subset);
    const key = portsKey(ports);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    groups.set(key, group);
    group.endpoints.push(...endpoints.filter(({ addresses }) => ipFamily(addresses[0] ?? '') === family));
  }
  return [...groups.values()];
}

function endpointOf({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname === undefined ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef === undefined ? {} : { targetRef }),
  };
}

function portsOf({ ports }: EndpointSubset): Group['ports'] {
  return (ports ?? []).map(({ name = '', port, protocol, appProtocol }) => ({
    name,
    port,
    protocol,
    ...(appProtocol === undefined ? {} : { appProtocol }),
  }));
}
