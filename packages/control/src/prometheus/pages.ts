/** `/sd/prometheus`: one scrape job of Prometheus finds every sidecar that is there. */

import { leaseKind, parseLabelSelector, podKind } from '@outrigger/core/api';
import type { Kind, Lease } from '@outrigger/core/api';
import type { Clock } from '@outrigger/core/clock';
import type { Cache } from '../cache/cache.ts';
import type { Page } from '../handlers/pages.ts';
import { headerOf } from '../handlers/http.ts';
import { asBuffer } from '../registry/codec.ts';
import { pathOf } from '../registry/resource.ts';
import type { Resource } from '../registry/resource.ts';
import { json } from '../handlers/respond.ts';
import { targetGroups } from './targets.ts';
import type { TargetGroup } from './targets.ts';

export interface TargetPageOptions {
  readonly cache: Cache;
  readonly resources: readonly Resource[];
  readonly clock: Clock;
  /** This API is served over TLS. */
  readonly secure: boolean;
}

/** `?namespace=` and `?labelSelector=` choose; malformed selectors are answered 400, which keeps Prometheus' last list. */
export function targetPages({ cache, resources, clock, secure }: TargetPageOptions): Map<string, Page> {
  const leases = cache.of(resourceOf(resources, leaseKind));
  const pods = cache.of(resourceOf(resources, podKind));
  const page: Page = (request) => {
    const namespace = request.query.get('namespace') ?? '';
    const selector = parseLabelSelector(request.query.get('labelSelector') ?? '');
    const entries = [...leases.walk({ namespace, name: undefined })];
    const found = entries.filter(({ labels }) => labels['outrigger.dev/role'] !== undefined);
    const groups = targetGroups(
      found.map(({ value }) => JSON.parse(asBuffer(value).toString()) as Lease),
      {
        nowMs: clock.wall(),
        namespace,
        selector,
        podLabels: (within, name) => pods.get(pathOf(within, name))?.labels,
      },
    );
    const itself = selector.matches({ 'outrigger.dev/role': 'control' }) && namespace === '';
    const host = headerOf(request, 'host');
    return json(200, itself && host !== undefined ? [...groups, controlGroup(host, secure)] : groups);
  };
  return new Map([['/sd/prometheus', page]]);
}

/** Whoever asks has reached this service by the name it used. */
function controlGroup(host: string, secure: boolean): TargetGroup {
  return {
    targets: [host],
    labels: {
      __scheme__: secure ? 'https' : 'http',
      __metrics_path__: '/metrics',
      outrigger_role: 'control',
    },
  };
}

function resourceOf(resources: readonly Resource[], kind: Kind<never>): Resource {
  const found = resources.find(
    (resource) => resource.kind.group === kind.group && resource.kind.kind === kind.kind,
  );
  if (found === undefined) throw new TypeError(`${kind.kind} is not served`);
  return found;
}
