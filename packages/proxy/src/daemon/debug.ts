/** What `/debug` shows and `outrigger why svc` prints: each published port, each endpoint, each reason. */

import type { Clock } from '@outrigger/core/clock';
import { OutriggerError } from '@outrigger/core/errors';
import { explainPort, explainService } from '../balance/index.ts';
import type { PortReport, ServiceReport } from '../balance/index.ts';
import { isIP } from 'node:net';
import { addressMatcher } from '../catalog/index.ts';
import type { Catalog } from '../catalog/index.ts';
import type { Planner, Source } from '../plan/index.ts';
import type { PublishedPorts } from './ports.ts';

export interface PublicationReport {
  readonly publish: string;
  readonly address: string;
  /** Why nothing is behind it; absent when something is. */
  readonly problem?: string;
  readonly connections: number;
  readonly port?: PortReport;
}

export function reportPublications(ports: PublishedPorts, clock: Clock): PublicationReport[] {
  return [...ports.publications].map(({ publish, port, plan, problem }) => ({
    publish: publish.name,
    address: port.name,
    ...(problem === undefined ? {} : { problem }),
    connections: port.connections.size,
    ...(plan === undefined ? {} : { port: explainPort(plan, question('node', clock), port.balancer) }),
  }));
}

/** `service` is `NAMESPACE/NAME[:PORT]`; `from` an IP. Throws WHY_UNKNOWN and WHY_BAD_SOURCE. */
export function explain(
  query: URLSearchParams,
  catalog: Catalog,
  planner: Planner,
  ports: PublishedPorts,
  clock: Clock,
): ServiceReport & { readonly source: Source } {
  const [key = '', port] = (query.get('service') ?? '').split(':');
  const view = catalog.view(key);
  const plan = planner.plans.get(key);
  if (view === undefined || plan === undefined) {
    throw new OutriggerError(`this proxy knows no Service ${JSON.stringify(key)}`, {
      code: 'WHY_UNKNOWN',
      target: key,
      hint: `it watches: ${[...catalog.keys()].join(', ') || 'nothing yet'}`,
    });
  }
  const source = sourceOf(query.get('from'), planner);
  const balancers = new Map([...ports.publications].map((one) => [one.plan?.id, one.port.balancer]));
  const report = explainService(view, plan, {
    ...question(source, clock),
    balancerOf: (portPlan) => balancers.get(portPlan.id),
  });
  const named =
    port === undefined ? report.ports : report.ports.filter((one, i) => isPort(plan.ports[i], port));
  return { ...report, ports: named, source };
}

function isPort(plan: { readonly name: string; readonly port: number } | undefined, port: string): boolean {
  return plan?.name === port || String(plan?.port) === port;
}

/** Who connects decides: this node, a pod of the cluster CIDRs, or a stranger. */
function sourceOf(from: string | null, planner: Planner): Source {
  const { nodeAddresses, podCIDRs } = planner.context;
  if (from !== null && isIP(from) === 0) {
    throw new OutriggerError(`${JSON.stringify(from)} is not an IP address`, {
      code: 'WHY_BAD_SOURCE',
      target: from,
      hint: 'name the address the connection comes from, such as 10.0.0.7',
    });
  }
  if (from === null || addressMatcher(['127.0.0.0/8', '::1/128', ...nodeAddresses])(from)) return 'node';
  return addressMatcher([...podCIDRs])(from) ? 'pod' : 'external';
}

function question(source: Source, clock: Clock) {
  return { traffic: 'internal', source, nowMs: clock.now() } as const;
}
