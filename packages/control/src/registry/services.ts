/** Every Service there is, as objects. */

import type { Service } from '@outrigger/core/api';
import { serviceKind } from '@outrigger/core/api';
import type { Cache } from '../cache/cache.ts';
import { decodeObject } from './codec.ts';
import type { Resource } from './resource.ts';

export function* servicesIn(cache: Cache, resources: readonly Resource[]): Generator<Service> {
  for (const resource of resources) {
    if (resource.kind.kind !== serviceKind.kind) continue;
    for (const { value, revision } of cache.of(resource).walk({ namespace: '', name: undefined })) {
      yield decodeObject<Service>(value, revision);
    }
  }
}
