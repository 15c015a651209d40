/** What the proxy as a whole measures: syncs, programming latency, endpoints by state, balancing. */

import type { CollectedSample, Histogram, Metrics } from '@outrigger/core/metrics';
import type { Clock } from '@outrigger/core/clock';
import { explainPort } from '../balance/index.ts';
import type { Balancer } from '../balance/index.ts';
import type { PublishedPorts } from './ports.ts';

export interface ProxyMetrics {
  readonly syncSeconds: Histogram;
  /** From the change that caused a slice (its last-change-trigger-time) to the endpoints being in use. */
  readonly programmingSeconds: Histogram;
}

export function proxyMetrics(metrics: Metrics, ports: PublishedPorts, clock: Clock): ProxyMetrics {
  metrics.collected(
    'gauge',
    {
      name: 'outrigger_proxy_endpoints',
      help: 'Endpoints of published ports by state: used, excluded, ejected, full, draining.',
      labels: ['service', 'port', 'state'],
    },
    () => endpointStates(ports, clock),
  );
  metrics.collected(
    'counter',
    {
      name: 'outrigger_proxy_ejections_total',
      help: 'Endpoints ejected.',
      labels: ['service', 'port', 'result'],
    },
    () => ejections(ports),
  );
  metrics.collected(
    'gauge',
    {
      name: 'outrigger_proxy_affinity_clients',
      help: 'Clients whose endpoint is remembered (ClientIP affinity).',
      labels: ['service', 'port'],
    },
    () => perPort(ports, (balancer) => balancer.counters.affinityEntries),
  );
  metrics.collected(
    'counter',
    {
      name: 'outrigger_proxy_affinity_evictions_total',
      help: 'Clients forgotten because the affinity table was full.',
      labels: ['service', 'port'],
    },
    () => perPort(ports, (balancer) => balancer.counters.affinityEvictions),
  );
  return {
    syncSeconds: metrics.histogram({
      name: 'outrigger_proxy_sync_duration_seconds',
      help: 'Time to plan what changed and hand it to the published ports.',
      smallest: 0.000_01,
      largest: 10,
    }),
    programmingSeconds: metrics.histogram({
      name: 'outrigger_proxy_network_programming_duration_seconds',
      help: 'Time from the change that caused an EndpointSlice to its endpoints being in use.',
      smallest: 0.001,
      largest: 300,
    }),
  };
}

function* endpointStates(ports: PublishedPorts, clock: Clock): Generator<CollectedSample> {
  const question = { traffic: 'internal', source: 'node', nowMs: clock.now() } as const;
  for (const { publish, port, plan } of ports.publications) {
    const counts = new Map([['used', 0]]);
    const reports = plan === undefined ? [] : explainPort(plan, question, port.balancer).endpoints;
    for (const { status } of reports) counts.set(status, (counts.get(status) ?? 0) + 1);
    const labels = [`${publish.namespace}/${publish.service}`, publish.port ?? ''];
    for (const [state, value] of counts) yield { labels: [...labels, state], value };
  }
}

function* ejections(ports: PublishedPorts): Generator<CollectedSample> {
  for (const { publish, port } of ports.publications) {
    const labels = [`${publish.namespace}/${publish.service}`, publish.port ?? ''];
    yield { labels: [...labels, 'ejected'], value: port.balancer.counters.ejections };
    yield { labels: [...labels, 'withheld'], value: port.balancer.counters.ejectionsWithheld };
  }
}

function* perPort(ports: PublishedPorts, read: (balancer: Balancer) => number): Generator<CollectedSample> {
  for (const { publish, port } of ports.publications) {
    yield {
      labels: [`${publish.namespace}/${publish.service}`, publish.port ?? ''],
      value: read(port.balancer),
    };
  }
}
