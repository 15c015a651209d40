/** Which Service port a userspace executor publishes to carry out a connection of the table. */

import { canonicalIp } from '../../packages/proxy/src/catalog/index.ts';
import { catalogOf } from './cluster.ts';
import type { Connection, FlowObject } from './types.ts';

export interface Publication {
  /** `namespace/name`. */
  readonly service: string;
  /** As `--publish` takes it; undefined: the only one. */
  readonly port: string | undefined;
}

/** The port that is named, or the one behind a ClusterIP; undefined where no Service has that address and port. */
export function publicationOf(
  objects: readonly FlowObject[],
  { to, protocol }: Connection,
): Publication | undefined {
  if (to.kind === 'publish') return { service: to.service, port: to.port };
  const address = canonicalIp(to.address)?.address ?? to.address;
  const catalog = catalogOf(objects);
  for (const key of catalog.keys()) {
    const service = catalog.view(key)?.service;
    if (service?.clusterIPs.includes(address) !== true) continue;
    const port = service.ports.find((one) => one.port === to.port && one.protocol === protocol);
    return port === undefined ? undefined : { service: key, port: String(port.port) };
  }
  return undefined;
}
