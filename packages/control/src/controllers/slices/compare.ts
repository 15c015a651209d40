/** When two endpoints are the same one, and when they say the same. Field by field: this runs for every endpoint of a sync. */

import type { Endpoint } from '@outrigger/core/api';
import { equalJson } from '@outrigger/core/api';

/** The same backend in the same place: a pod that came back under its name is another. */
export function identity({ addresses, targetRef }: Endpoint): string {
  return `${addresses.join()}|${targetRef?.namespace ?? ''}/${targetRef?.name ?? ''}|${targetRef?.uid ?? ''}`;
}

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return (
    a.conditions?.ready === b.conditions?.ready &&
    a.conditions?.serving === b.conditions?.serving &&
    a.conditions?.terminating === b.conditions?.terminating &&
    a.hostname === b.hostname &&
    a.nodeName === b.nodeName &&
    a.zone === b.zone &&
    a.addresses.length === b.addresses.length &&
    a.addresses.every((address, index) => address === b.addresses[index]) &&
    sameTarget(a.targetRef, b.targetRef) &&
    equalJson(a.hints, b.hints) &&
    equalJson(a.deprecatedTopology, b.deprecatedTopology)
  );
}

function sameTarget(a: Endpoint['targetRef'], b: Endpoint['targetRef']): boolean {
  return (
    a?.kind === b?.kind &&
    a?.namespace === b?.namespace &&
    a?.name === b?.name &&
    a?.uid === b?.uid &&
    a?.fieldPath === b?.fieldPath
  );
}
