/** Small builders of the objects that the proxy watches, for tests that care about one field each. */

import type { ServiceFields, SliceFields } from '../src/catalog/index.ts';

type Spec = NonNullable<ServiceFields['spec']>;
type EndpointFields = NonNullable<SliceFields['endpoints']>[number];

export function service(key: string, spec: Spec = {}, more: Partial<ServiceFields> = {}): ServiceFields {
  const [namespace = '', name = ''] = key.split('/');
  return {
    ...more,
    metadata: { namespace, name, ...more.metadata },
    spec: { clusterIP: '10.96.0.1', ports: [{ name: 'http', port: 80 }], ...spec },
  };
}

/** `web-1` belongs to `web`: the Service is the slice's name up to the last dash. */
export function slice(
  key: string,
  endpoints: readonly (string | EndpointFields)[],
  more: Partial<SliceFields> = {},
): SliceFields {
  const [namespace = '', name = ''] = key.split('/');
  const service = name.slice(0, name.lastIndexOf('-'));
  return {
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: endpoints.map((endpoint) =>
      typeof endpoint === 'string' ? { addresses: [endpoint] } : endpoint,
    ),
    ...more,
    metadata: { namespace, name, labels: { 'kubernetes.io/service-name': service }, ...more.metadata },
  };
}

/** An endpoint by address and the conditions that hold; `on` is its node. */
export function endpoint(
  address: string,
  state: 'ready' | 'unready' | 'terminating' | 'gone' = 'ready',
  on?: string,
): EndpointFields {
  const conditions = {
    ready: { ready: true, serving: true, terminating: false },
    unready: { ready: false, serving: false, terminating: false },
    terminating: { ready: false, serving: true, terminating: true },
    gone: { ready: false, serving: false, terminating: true },
  }[state];
  return { addresses: [address], conditions, ...(on === undefined ? {} : { nodeName: on }) };
}
