/** The objects the tests write: a Service without a selector, and a hand-written EndpointSlice per backend. */

import { endpointSliceKind, serviceKind, trafficPolicyKind } from '@outrigger/core/api';
import { resourcePath } from '@outrigger/core/watch';
import type { ApiClient } from '@outrigger/core/watch';

const namespace = 'default';

export async function createService(client: ApiClient, name = 'web'): Promise<void> {
  await client.request({
    method: 'POST',
    path: resourcePath(serviceKind, { namespace }),
    body: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    },
  });
}

/** One endpoint at 127.0.0.1, or more addresses that share the port. */
export async function addEndpoint(
  client: ApiClient,
  port: number,
  more: { service?: string; addresses?: readonly string[]; changedAt?: string } = {},
): Promise<void> {
  const { service = 'web', addresses = ['127.0.0.1'], changedAt } = more;
  const annotations =
    changedAt === undefined ? {} : { 'endpoints.kubernetes.io/last-change-trigger-time': changedAt };
  await client.request({
    method: 'POST',
    path: resourcePath(endpointSliceKind, { namespace }),
    body: {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: sliceName(service, port),
        namespace,
        labels: { 'kubernetes.io/service-name': service },
        annotations,
      },
      addressType: 'IPv4',
      ports: [{ name: 'http', port, protocol: 'TCP' }],
      endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    },
  });
}

export async function removeEndpoint(client: ApiClient, port: number, service = 'web'): Promise<void> {
  const path = resourcePath(endpointSliceKind, { namespace, name: sliceName(service, port) });
  await client.request({ method: 'DELETE', path });
}

export async function createPolicy(
  client: ApiClient,
  spec: Readonly<Record<string, unknown>>,
  service = 'web',
): Promise<void> {
  await client.request({
    method: 'POST',
    path: resourcePath(trafficPolicyKind, { namespace }),
    body: {
      apiVersion: 'outrigger.dev/v1alpha1',
      kind: 'TrafficPolicy',
      metadata: { name: service, namespace },
      spec: { targetRefs: [{ group: '', kind: 'Service', name: service }], ...spec },
    },
  });
}

function sliceName(service: string, port: number): string {
  return `${service}-${port}`;
}
