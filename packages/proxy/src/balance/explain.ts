/**
 * Why a connection goes where it goes: every endpoint of a Service with its state, and what keeps it out.
 *
 * `outrigger why svc` and the live view print these texts. Nothing is remembered for them: plan and balancer hold all the
 * facts, and the reasons are worked out when asked for.
 */

import type { ServiceView } from '../catalog/catalog.ts';
import type { Endpoint } from '../catalog/endpoint.ts';
import type { PortPlan, ServicePlan, Source } from '../plan/types.ts';
import type { Balancer } from './balancer.ts';
import { isEjected } from './ejection.ts';
import type { EndpointState } from './types.ts';

/** One word for the live view. `used`: the next connection may go there. */
export type EndpointStatus = 'used' | 'excluded' | 'ejected' | 'full' | 'draining';

export interface EndpointReport {
  readonly key: string;
  /** `Pod/web-1`, `''` unknown. */
  readonly target: string;
  readonly node: string;
  readonly zone: string;
  readonly local: boolean;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly status: EndpointStatus;
  /** Why it is not used, or what is special about its being used; empty for the plain case. */
  readonly reasons: readonly string[];
  readonly active: number;
  readonly picked: number;
  readonly failures: number;
  /** How long it still stays out. 0: it is not ejected. */
  readonly ejectedForMs: number;
}

export interface PortReport {
  readonly id: string;
  readonly handling: PortPlan['handling'];
  readonly verdict: 'forward' | 'reject' | 'drop';
  /** The verdict and the rules behind it, as sentences. */
  readonly why: readonly string[];
  readonly endpoints: readonly EndpointReport[];
}

export interface ServiceReport {
  readonly service: string;
  /** What the catalog left out of the Service and its slices, and why nothing is planned if so. */
  readonly problems: readonly string[];
  readonly ports: readonly PortReport[];
}

export interface Question {
  /** To the ClusterIP or a published port (`internal`), or to a NodePort, load-balancer or external address. */
  readonly traffic: 'internal' | 'external';
  readonly source: Source;
  readonly nowMs: number;
  /** The balancer of a port, where one runs. */
  readonly balancerOf: (plan: PortPlan) => Balancer | undefined;
}

export function explainService(view: ServiceView, plan: ServicePlan, question: Question): ServiceReport {
  const problems = [
    ...(plan.skipped === undefined ? [] : [plan.skipped]),
    ...(view.service.problems ?? []),
    ...view.slices.flatMap((slice) => (slice.problems ?? []).map((text) => `${slice.name}: ${text}`)),
    ...view.policies.flatMap((policy) => (policy.problems ?? []).map((text) => `${policy.name}: ${text}`)),
  ];
  const ports = plan.ports.map((port) => explainPort(port, question, question.balancerOf(port)));
  return { service: plan.key, problems, ports };
}

export function explainPort(
  plan: PortPlan,
  question: Omit<Question, 'balancerOf'>,
  balancer: Balancer | undefined,
): PortReport {
  const choice = plan[question.traffic][question.source];
  const used = new Set(choice.kind === 'forward' ? choice.endpoints.map((endpoint) => endpoint.key) : []);
  const states = new Map(balancer?.states().map((state) => [state.key, state]));
  const known = new Set(plan.endpoints.map((endpoint) => endpoint.key));
  const gone = [...states.values()].filter((state) => !known.has(state.key));
  const limit = plan.settings.maxConnectionsPerEndpoint;
  const scope = scopeOf(plan, question);
  return {
    id: plan.id,
    handling: plan.handling,
    verdict: choice.kind,
    why: whyPort(plan, scope, choice.kind),
    endpoints: [
      ...plan.endpoints.map((endpoint) => {
        const reasons = whyExcluded(endpoint, plan, scope);
        return report(
          endpoint,
          states.get(endpoint.key),
          used.has(endpoint.key),
          reasons,
          limit,
          question.nowMs,
        );
      }),
      ...gone.map((state) => report(state.endpoint, state, false, [], limit, question.nowMs)),
    ],
  };
}

/** Which of the two lists answers this question. */
function scopeOf(plan: PortPlan, { traffic, source }: Omit<Question, 'balancerOf'>): 'Cluster' | 'Local' {
  if (traffic === 'internal') return plan.internalTrafficPolicy;
  if (plan.externalTrafficPolicy === 'Cluster') return 'Cluster';
  return plan.external[source] === plan.external.external ? 'Local' : 'Cluster';
}

function whyPort(
  plan: PortPlan,
  scope: 'Cluster' | 'Local',
  verdict: PortReport['verdict'],
): readonly string[] {
  const { selection, settings } = plan;
  const fallback = scope === 'Local' ? selection.localFallback : selection.clusterFallback;
  const why: string[] = [];
  if (verdict === 'reject') why.push('no endpoint is usable anywhere: connections are refused');
  if (verdict === 'drop')
    why.push('policy Local: endpoints exist, but none on this node: connections are dropped');
  if (fallback) why.push('no endpoint is ready: those still serving while terminating are used');
  if (scope === 'Local' && verdict === 'forward') why.push('policy Local: only endpoints on this node');
  if (scope === 'Cluster' && selection.topology === 'same-node')
    why.push('hints: only endpoints meant for this node');
  if (scope === 'Cluster' && selection.topology === 'same-zone')
    why.push('hints: only endpoints meant for this zone');
  why.push(`balancing ${settings.balancing}${plan.policy === '' ? '' : `, by TrafficPolicy ${plan.policy}`}`);
  if (plan.affinitySeconds > 0)
    why.push(`a client keeps its endpoint for ${plan.affinitySeconds} s after its last connection`);
  return why;
}

/** Why the plan leaves an endpoint out; empty when nothing speaks against it. */
function whyExcluded(endpoint: Endpoint, plan: PortPlan, scope: 'Cluster' | 'Local'): readonly string[] {
  const { ready, serving, terminating, local } = endpoint;
  const reasons: string[] = [];
  if (!ready && terminating && serving) reasons.push('terminating: used only when no endpoint is ready');
  else if (!ready && terminating) reasons.push('terminating and no longer serving');
  else if (!ready) reasons.push('not ready');
  if (scope === 'Local' && !local)
    reasons.push(`not on this node but on ${endpoint.node === '' ? 'an unknown one' : endpoint.node}`);
  if (scope === 'Cluster' && ready && plan.selection.topology === 'same-node') {
    reasons.push(`hinted for nodes ${endpoint.nodeHints.join(', ')}`);
  }
  if (scope === 'Cluster' && ready && plan.selection.topology === 'same-zone') {
    reasons.push(`hinted for zones ${endpoint.zoneHints.join(', ')}`);
  }
  return reasons;
}

function report(
  endpoint: Endpoint,
  state: EndpointState | undefined,
  used: boolean,
  excluded: readonly string[],
  limit: number,
  nowMs: number,
): EndpointReport {
  const active = state?.active ?? 0;
  const ejectedForMs = state !== undefined && isEjected(state, nowMs) ? state.ejectedUntilMs - nowMs : 0;
  const full = limit > 0 && active >= limit;
  const reasons = used ? [] : [...excluded];
  if (used && !endpoint.ready) reasons.push('terminating, but no endpoint is ready');
  if (state?.removed === true) reasons.push(`removed: ${active} open connections may finish`);
  if (used && ejectedForMs > 0) {
    reasons.push(
      `ejected after ${state?.failures} failed dials in a row, for another ${Math.ceil(ejectedForMs / 1000)} s`,
    );
  }
  if (used && full) reasons.push(`at its limit of ${limit} connections`);
  const { key, target, node, zone, local, ready, serving, terminating } = endpoint;
  return {
    key,
    target,
    node,
    zone,
    local,
    ready,
    serving,
    terminating,
    status: statusOf(used, state?.removed === true, ejectedForMs > 0, full),
    reasons,
    active,
    picked: state?.picked ?? 0,
    failures: state?.failures ?? 0,
    ejectedForMs,
  };
}

function statusOf(used: boolean, removed: boolean, ejected: boolean, full: boolean): EndpointStatus {
  if (removed) return 'draining';
  if (!used) return 'excluded';
  if (ejected) return 'ejected';
  return full ? 'full' : 'used';
}
