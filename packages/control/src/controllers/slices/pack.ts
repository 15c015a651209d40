/**
 * Distributes endpoints over slices so that few slices are written. Endpoints stay where they are; a slice that has to
 * be written anyway takes new ones first, the fullest before the others; then one that has room for all that is left;
 * then new slices are made, of slices that would be deleted where there are any. Nothing is ever moved only to be tidy.
 */

import type { Endpoint, EndpointPort, EndpointSlice } from '@outrigger/core/api';
import { identity, sameEndpoint } from './compare.ts';
import type { AddressType, SliceTemplate } from './metadata.ts';
import { blankSlice, dress, isDressed } from './metadata.ts';

/** Endpoints that have the same ports, and so can share slices. */
export interface Group {
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

export interface SlicePlan {
  readonly create: readonly EndpointSlice[];
  readonly update: readonly EndpointSlice[];
  readonly delete: readonly EndpointSlice[];
}

export interface Packing {
  readonly addressType: AddressType;
  /** All slices of this address type that are managed, in a stable order. */
  readonly existing: readonly EndpointSlice[];
  readonly groups: readonly Group[];
  readonly maxPerSlice: number;
  /** Keep one empty slice where there is no endpoint: it tells "none" from "not known yet". */
  readonly placeholder: boolean;
  readonly template: SliceTemplate;
}

/** A slice as it will be. */
interface Draft {
  readonly slice: EndpointSlice | undefined;
  readonly group: string;
  readonly ports: readonly EndpointPort[];
  readonly endpoints: Endpoint[];
  changed: boolean;
}

export function packSlices(packing: Packing): SlicePlan {
  const { existing, groups, maxPerSlice, template } = packing;
  const wanted = new Map(groups.map((group) => [portsKey(group.ports), new Wanted(group)]));
  const spare: EndpointSlice[] = [];
  const drafts: Draft[] = [];
  for (const slice of existing) {
    const draft = wanted.get(portsKey(slice.ports ?? []))?.claim(slice, maxPerSlice);
    if (draft === undefined || draft.endpoints.length === 0) {
      spare.push(slice);
      continue;
    }
    draft.changed ||= !isDressed(template, slice);
    drafts.push(draft);
  }
  for (const group of wanted.values()) {
    const own = drafts.filter((draft) => draft.group === group.key);
    drafts.push(...place(group, own, maxPerSlice));
  }
  return finish(packing, drafts, spare);
}

/** The order of ports means nothing. */
export function portsKey(ports: readonly EndpointPort[]): string {
  const parts = ports.map(({ name = '', port, protocol, appProtocol = '' }) =>
    JSON.stringify([name, protocol, port, appProtocol]),
  );
  return parts.sort().join();
}

/** The endpoints of a group that have no slice yet. */
class Wanted {
  readonly key: string;
  readonly ports: readonly EndpointPort[];
  readonly left = new Map<string, Endpoint>();

  constructor({ ports, endpoints }: Group) {
    this.key = portsKey(ports);
    this.ports = ports;
    for (const endpoint of endpoints) {
      const id = identity(endpoint);
      if (!this.left.has(id)) this.left.set(id, endpoint);
    }
  }

  /** What of a slice stays in it. */
  claim(slice: EndpointSlice, max: number): Draft {
    const draft: Draft = { slice, group: this.key, ports: this.ports, endpoints: [], changed: false };
    for (const endpoint of slice.endpoints ?? []) {
      const id = identity(endpoint);
      const want = draft.endpoints.length < max ? this.left.get(id) : undefined;
      if (want === undefined) {
        draft.changed = true;
        continue;
      }
      this.left.delete(id);
      draft.endpoints.push(want);
      draft.changed ||= !sameEndpoint(want, endpoint);
    }
    return draft;
  }
}

/** Finds a slice for every endpoint that has none. Changes the drafts; answers the new ones it takes. */
function place({ key, ports, left: waiting }: Wanted, drafts: readonly Draft[], max: number): Draft[] {
  const left = [...waiting.values()];
  const byFullness = drafts.toSorted((a, b) => b.endpoints.length - a.endpoints.length);
  for (const draft of byFullness) {
    if (draft.changed) draft.endpoints.push(...left.splice(0, max - draft.endpoints.length));
  }
  const made: Draft[] = [];
  while (left.length > 0) {
    const fits = byFullness.find((draft) => !draft.changed && draft.endpoints.length + left.length <= max);
    if (fits === undefined) {
      made.push({ slice: undefined, group: key, ports, endpoints: left.splice(0, max), changed: true });
    } else {
      fits.endpoints.push(...left.splice(0));
      fits.changed = true;
    }
  }
  return made;
}

/** Gives new drafts the spare slices, keeps a placeholder if one is needed, and deletes what is left over. */
function finish(packing: Packing, drafts: readonly Draft[], spare: readonly EndpointSlice[]): SlicePlan {
  const { template, addressType, placeholder } = packing;
  const unused = [...spare];
  const create: EndpointSlice[] = [];
  const update: EndpointSlice[] = [];
  const write = (
    slice: EndpointSlice | undefined,
    content: Pick<EndpointSlice, 'endpoints' | 'ports'>,
  ): void => {
    if (slice === undefined) create.push({ ...blankSlice(template, addressType), ...content });
    else update.push({ ...dress(template, slice), ...content });
  };
  for (const { slice, endpoints, ports, changed } of drafts) {
    if (changed) write(slice ?? unused.shift(), { endpoints, ports: [...ports] });
  }
  if (drafts.length === 0 && placeholder) {
    const [kept] = unused.splice(Math.max(0, unused.findIndex(isPlaceholder)), 1);
    if (kept === undefined || !isPlaceholder(kept) || !isDressed(template, kept)) {
      write(kept, { endpoints: [], ports: [] });
    }
  }
  return { create, update, delete: unused };
}

function isPlaceholder({ endpoints, ports }: EndpointSlice): boolean {
  return (endpoints ?? []).length === 0 && (ports ?? []).length === 0;
}
