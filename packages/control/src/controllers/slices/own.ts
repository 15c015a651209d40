/** The slices a controller writes itself, seen coming back through the cache. */

import type { EndpointSlice } from '@outrigger/core/api';
import type { Expectations } from '../expectations.ts';
import type { ObjectKey } from '../keys.ts';
import { keyOf, revisionOf } from '../keys.ts';
import { managedByLabel } from '../names.ts';
import type { WorkQueue } from '../queue.ts';

/** What was waited for has come, or somebody else changed it: either way its Service is to be looked at. */
export function ownSliceChanged(
  manager: string,
  expectations: Expectations,
  queue: WorkQueue,
): (service: ObjectKey, slice: EndpointSlice, gone: boolean) => void {
  return (service, slice, gone) => {
    if (slice.metadata.labels?.[managedByLabel] !== manager) return;
    if (gone) expectations.gone(keyOf(slice));
    else expectations.seen(keyOf(slice), revisionOf(slice));
    queue.add(service);
  };
}
