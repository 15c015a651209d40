/** Servers written as `svc:NAMESPACE/NAME[:PORT]`: the ready endpoints of a Service, watched. */

import { watchServices as watchEndpoints } from '@outrigger/core/watch';
import type { ServiceEndpoint, Source } from '@outrigger/core/watch';
import { serverAt } from '../upstream/server.ts';
import type { Server } from '../upstream/server.ts';
import type { WatchService } from './source.ts';

/** Watches each Service once, however often it is named. */
export function watchServices(source: Source): WatchService {
  const watch = watchEndpoints(source);
  return async (target, onChange) => {
    const watched = await watch(target, onChange);
    return {
      get servers() {
        return serversAt(watched.endpoints);
      },
      get problem() {
        return watched.problem;
      },
      close: () => watched.close(),
    };
  };
}

export function serversAt(endpoints: readonly ServiceEndpoint[]): Server[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  return ready.map(({ address, port, zone }) => ({
    ...serverAt({ kind: 'tcp', host: address, port }),
    zone,
  }));
}
