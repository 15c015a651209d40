/** Cuts subsets down to what one object may hold: ready addresses first, each subset its share. Pure. */

import type { EndpointAddress, EndpointSubset } from '@outrigger/core/api';

export function truncateSubsets(
  subsets: readonly EndpointSubset[],
  max: number,
): { subsets: EndpointSubset[]; truncated: boolean } {
  const ready = count(subsets, 'addresses');
  const notReady = count(subsets, 'notReadyAddresses');
  if (ready + notReady <= max) return { subsets: [...subsets], truncated: false };
  const keptReady = shares(subsets, 'addresses', Math.min(ready, max));
  const keptNotReady = shares(subsets, 'notReadyAddresses', Math.max(0, max - ready));
  const cut = subsets.map((subset, index) => {
    const { addresses: _addresses, notReadyAddresses: _notReady, ...rest } = subset;
    const addresses = head(subset.addresses, keptReady[index]);
    const notReadyAddresses = head(subset.notReadyAddresses, keptNotReady[index]);
    return {
      ...(addresses.length === 0 ? {} : { addresses }),
      ...(notReadyAddresses.length === 0 ? {} : { notReadyAddresses }),
      ...rest,
    };
  });
  return {
    subsets: cut.filter((subset) => subset.addresses !== undefined || subset.notReadyAddresses !== undefined),
    truncated: true,
  };
}

type List = 'addresses' | 'notReadyAddresses';

/** How many of `total` each subset keeps, in proportion to what it has; what rounding leaves goes to the first ones. */
function shares(subsets: readonly EndpointSubset[], list: List, total: number): number[] {
  const all = count(subsets, list);
  const sizes = subsets.map((subset) => subset[list]?.length ?? 0);
  const kept = sizes.map((size) => (all === 0 ? 0 : Math.floor((size * total) / all)));
  let left = total - kept.reduce((sum, size) => sum + size, 0);
  return kept.map((size, index) => {
    const more = Math.min(left, (sizes[index] ?? 0) - size);
    left -= more;
    return size + more;
  });
}

function count(subsets: readonly EndpointSubset[], list: List): number {
  return subsets.reduce((sum, subset) => sum + (subset[list]?.length ?? 0), 0);
}

function head(
  addresses: readonly EndpointAddress[] | undefined,
  length: number | undefined,
): EndpointAddress[] {
  return (addresses ?? []).slice(0, length ?? 0);
}
