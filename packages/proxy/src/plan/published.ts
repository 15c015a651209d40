/** What userspace mode makes of a plan: the one port that `--publish NS/SERVICE[:PORT]` means, and its pool. */

import type { Pool, PortPlan, ServicePlan, Source, TrafficClass } from './types.ts';

/** Anything that cannot be published says why, for the log and `why`. */
export type Published = { readonly plan: PortPlan } | { readonly problem: string };

/**
 * The TCP port called `port` (a name, else a number; undefined: the only one). A dual-stack Service is published from
 * its preferred family, or *family fallback*: from the other when only that one has somewhere to go.
 */
export function publishedPort(service: ServicePlan, port: string | undefined): Published {
  if (service.skipped !== undefined)
    return { problem: `${service.key} cannot be published: ${service.skipped}` };
  const tcp = service.ports.filter((plan) => plan.protocol === 'TCP');
  const matching = matchPort(tcp, port);
  const [first] = matching;
  if (first === undefined) {
    const known = tcp.map((plan) => portLabel(plan)).join(', ');
    return {
      problem:
        `${service.key} has no TCP port ${port ?? ''}`.trimEnd() +
        `; it has ${known === '' ? 'none' : known}`,
    };
  }
  if (matching.some((plan) => plan.port !== first.port)) {
    const known = matching.map(portLabel).join(', ');
    return { problem: `${service.key} has several TCP ports (${known}): name one` };
  }
  return { plan: matching.find((plan) => plan.internal.node.kind === 'forward') ?? first };
}

/** The pool of one traffic class: what a Balancer is given. A published port is the ClusterIP reached from this node. */
export function poolOf(plan: PortPlan, traffic: TrafficClass = plan.internal, source: Source = 'node'): Pool {
  const choice = traffic[source];
  const endpoints = choice.kind === 'forward' ? choice.endpoints : [];
  return { endpoints, affinitySeconds: plan.affinitySeconds, settings: plan.settings };
}

function matchPort(plans: readonly PortPlan[], port: string | undefined): readonly PortPlan[] {
  if (port === undefined) return plans;
  const named = plans.filter((plan) => plan.name === port);
  return named.length > 0 ? named : plans.filter((plan) => String(plan.port) === port);
}

function portLabel(plan: PortPlan): string {
  return plan.name === '' ? String(plan.port) : `${plan.name} (${plan.port})`;
}
