/** EndpointSlice object → record. */

import { canonicalIp } from './ip.ts';
import type { SliceEndpointFields, SliceFields } from './objects.ts';
import { protocolOf } from './project-service.ts';
import type { Family, SliceEndpointRecord, SlicePortRecord, SliceRecord } from './records.ts';

const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
const CHANGE_TIME_ANNOTATION = 'endpoints.kubernetes.io/last-change-trigger-time';

/** Undefined for a slice without a name or a service-name label, and for slices of host names (FQDN). */
export function projectSlice(object: SliceFields): SliceRecord | undefined {
  const { name, namespace, labels, annotations } = object.metadata ?? {};
  const service = labels?.[SERVICE_NAME_LABEL];
  const family = object.addressType;
  if (!name || !namespace || !service) return undefined;
  if (family !== 'IPv4' && family !== 'IPv6') return undefined;
  const problems: string[] = [];
  const changed = Date.parse(annotations?.[CHANGE_TIME_ANNOTATION] ?? '');
  return {
    namespace,
    name,
    service: `${namespace}/${service}`,
    family,
    ports: slicePorts(object.ports ?? [], problems),
    endpoints: sliceEndpoints(object.endpoints ?? [], family, problems),
    changedAtMs: Number.isNaN(changed) ? 0 : changed,
    ...(problems.length > 0 ? { problems } : {}),
  };
}

/** A port without a name or number means "all ports", which no Service port can join. */
function slicePorts(ports: NonNullable<SliceFields['ports']>, problems: string[]): SlicePortRecord[] {
  const kept: SlicePortRecord[] = [];
  for (const { name, protocol: text, port } of ports) {
    const protocol = protocolOf(text);
    if (name === undefined || name === null) problems.push(`slice port ${port} ignored: it has no name`);
    else if (!port) problems.push(`slice port ${JSON.stringify(name)} ignored: it has no number`);
    else if (protocol === undefined)
      problems.push(`slice port ${JSON.stringify(name)} ignored: protocol ${text}`);
    else kept.push({ name, protocol, port });
  }
  return kept;
}

function sliceEndpoints(
  endpoints: readonly SliceEndpointFields[],
  family: Family,
  problems: string[],
): SliceEndpointRecord[] {
  const kept: SliceEndpointRecord[] = [];
  for (const endpoint of endpoints) {
    // The first address only: the API defines the others as aliases of the same backend.
    const text = endpoint.addresses?.[0];
    const ip = text === undefined ? undefined : canonicalIp(text);
    if (text === undefined) problems.push('endpoint ignored: it has no address');
    else if (ip === undefined) problems.push(`endpoint ${JSON.stringify(text)} ignored: not an IP address`);
    else if (ip.family !== family)
      problems.push(`endpoint ${ip.address} ignored: not ${family} as its slice says`);
    else kept.push(sliceEndpoint(ip.address, endpoint));
  }
  return kept;
}

/** Absent conditions: ready is true, serving is what ready is, terminating is false. */
function sliceEndpoint(address: string, endpoint: SliceEndpointFields): SliceEndpointRecord {
  const { conditions, hints, targetRef } = endpoint;
  const ready = conditions?.ready ?? true;
  return {
    address,
    ready,
    serving: conditions?.serving ?? ready,
    terminating: conditions?.terminating ?? false,
    node: endpoint.nodeName ?? '',
    zone: endpoint.zone ?? '',
    nodeHints: hintNames(hints?.forNodes),
    zoneHints: hintNames(hints?.forZones),
    target: targetRef?.name ? `${targetRef.kind ?? 'Pod'}/${targetRef.name}` : '',
  };
}

const NO_HINTS: readonly string[] = [];

function hintNames(hints: { name?: string | null | undefined }[] | null | undefined): readonly string[] {
  if (!hints || hints.length === 0) return NO_HINTS;
  return hints.flatMap((hint) => (hint.name ? [hint.name] : []));
}
