/** Traffic classes where the flow table cannot tell the difference: without a detector nobody is a pod. */

import { test } from 'tap';
import { selectEndpoints } from '../../src/plan/index.ts';
import { externalTraffic, internalTraffic } from '../../src/plan/traffic.ts';
import { fakeEndpoint } from '../balance/pool.ts';

const selection = selectEndpoints({
  endpoints: [fakeEndpoint('10.0.0.1', { local: true }), fakeEndpoint('10.0.0.2')],
  internalTrafficPolicy: 'Cluster',
  externalTrafficPolicy: 'Local',
  external: true,
  nodeName: 'n1',
  zone: '',
});

test('without a detector, pods are treated as external', (t) => {
  const { pod, external } = externalTraffic(selection, 'Local', { detector: false });
  t.equal(pod, external);
  t.match(pod, { kind: 'forward', snat: false, endpoints: { length: 1 } });
  t.end();
});

test('with one, they reach every endpoint and keep their address', (t) => {
  const { pod, external } = externalTraffic(selection, 'Local', { detector: true });
  t.match(pod, { kind: 'forward', snat: false, endpoints: { length: 2 } });
  t.match(external, { kind: 'forward', snat: false, endpoints: { length: 1 } });
  t.end();
});

test('classes that are equal are one object, so that a comparison by identity is enough', (t) => {
  const { pod, node } = internalTraffic(selection, 'Cluster', { detector: false, masqueradeAll: false });
  t.equal(pod, node);
  t.end();
});
