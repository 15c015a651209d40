import type { Service } from '@outrigger/core/api';
import { prune, serviceKind } from '@outrigger/core/api';
import { test } from 'tap';
import type { Loose } from '../fixtures.ts';
import { line, service, where } from '../fixtures.ts';

/** Validation alone, as for objects that another server defaulted differently or not at all. */
function of(spec: Loose): string[] {
  const whole = service({
    type: 'ClusterIP',
    sessionAffinity: 'None',
    internalTrafficPolicy: 'Cluster',
    ...spec,
  });
  const object = prune(serviceKind.schema, whole) as unknown as Service;
  return where((serviceKind.validate?.(object, undefined, {}) ?? []).map(line));
}

const rows: [string, Loose, string[]][] = [
  ['affinity without settings', { sessionAffinity: 'ClientIP' }, ['Required spec.sessionAffinityConfig']],
  [
    'affinity without a client',
    { sessionAffinity: 'ClientIP', sessionAffinityConfig: {} },
    ['Required spec.sessionAffinityConfig.clientIP'],
  ],
  [
    'affinity without a time',
    { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: {} } },
    ['Required spec.sessionAffinityConfig.clientIP.timeoutSeconds'],
  ],
  ['settings without affinity', { sessionAffinityConfig: {} }, ['Forbidden spec.sessionAffinityConfig']],
  ['no internal policy', { internalTrafficPolicy: undefined }, ['Required spec.internalTrafficPolicy']],
  ['no external policy', { type: 'NodePort' }, ['Required spec.externalTrafficPolicy']],
  [
    'a load balancer that does not say whether it wants node ports',
    { type: 'LoadBalancer', externalTrafficPolicy: 'Cluster' },
    ['Required spec.allocateLoadBalancerNodePorts'],
  ],
];

for (const [name, spec, want] of rows) {
  test(`without defaults, refuses ${name}`, (t) => {
    t.same(of(spec), want);
    t.end();
  });
}
