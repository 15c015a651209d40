/**
 * The join of a Service port with its slices: by port name and protocol, never by number, for the number is the
 * slice's own (a named targetPort may differ from pod to pod, so one Service port can have endpoints on several).
 */

import type { Endpoint } from './endpoint.ts';
import { endpointKey } from './ip.ts';
import type { Family, Protocol, SliceEndpointRecord, SliceRecord } from './records.ts';

/**
 * The endpoints of one Service port in one family, each address and port once, sorted by key.
 *
 * The same endpoint may be in two slices while it moves between them. A copy on this node wins (hostNetwork pods of
 * several nodes can share a loopback-like address), then the more usable one, then the first slice by name: the same
 * answer whatever order the slices arrived in.
 */
export function joinEndpoints(
  slices: Iterable<SliceRecord>,
  port: { readonly name: string; readonly protocol: Protocol },
  family: Family,
  nodeName: string,
): readonly Endpoint[] {
  const found = new Map<string, Endpoint>();
  for (const slice of slices) {
    if (slice.family !== family) continue;
    for (const { name, protocol, port: number } of slice.ports) {
      if (name !== port.name || protocol !== port.protocol) continue;
      for (const record of slice.endpoints) keep(found, record, number, nodeName);
    }
  }
  return [...found.values()].sort(byKey);
}

function keep(
  found: Map<string, Endpoint>,
  record: SliceEndpointRecord,
  port: number,
  nodeName: string,
): void {
  const key = endpointKey(record.address, port);
  const local = record.node !== '' && record.node === nodeName;
  const known = found.get(key);
  if (known !== undefined && rank(known, known.local) >= rank(record, local)) return;
  const { address, ready, serving, terminating, node, zone, nodeHints, zoneHints, target } = record;
  found.set(key, {
    key,
    address,
    port,
    local,
    ready,
    serving,
    terminating,
    node,
    zone,
    nodeHints,
    zoneHints,
    target,
  });
}

function rank(
  conditions: { ready: boolean; serving: boolean; terminating: boolean },
  local: boolean,
): number {
  const usable = conditions.ready ? 2 : conditions.serving && conditions.terminating ? 1 : 0;
  return (local ? 3 : 0) + usable;
}

function byKey(a: Endpoint, b: Endpoint): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}
