/** Who carries a Service port: kernel rules, the TCP relay (`l4`) or the HTTP layer (`l7`). */

import type { ServicePortRecord } from '../catalog/records.ts';
import type { Handling, Mode } from './types.ts';

/** The appProtocol values of Kubernetes (KEP-3726), of Istio's habit and of the Gateway API that mean HTTP. */
const HTTP_PROTOCOLS: ReadonlySet<string> = new Set([
  'http',
  'http2',
  'grpc',
  'grpc-web',
  'kubernetes.io/h2c',
  'kubernetes.io/ws',
]);
/** By convention a port may be called `http` or `http-anything`. `https` is opaque here: it is TLS. */
const HTTP_NAME = /^(http|http2|grpc|grpc-web)(-|$)/;

/**
 * Userspace: HTTP ports are `l7`, the others `l4`. Kernel modes: `kernel`, except HTTP ports that a TrafficPolicy is for,
 * since only a proxy can do what a policy asks; HTTP without a policy gains nothing that would pay for leaving the
 * kernel.
 *
 * `l7` says what the port speaks and who should carry it. The relay carries `l7` ports as `l4` as long as no HTTP layer
 * runs: the bytes are the same, only balancing is per connection instead of per request.
 */
export function handlingOf(port: ServicePortRecord, mode: Mode, hasPolicy: boolean): Handling {
  const http = port.protocol === 'TCP' && speaksHttp(port);
  if (mode === 'userspace') return http ? 'l7' : 'l4';
  return http && hasPolicy ? 'l7' : 'kernel';
}

/** An explicit appProtocol decides alone; only without one does the port's name count. */
function speaksHttp({ appProtocol, name }: ServicePortRecord): boolean {
  return appProtocol === '' ? HTTP_NAME.test(name) : HTTP_PROTOCOLS.has(appProtocol.toLowerCase());
}
