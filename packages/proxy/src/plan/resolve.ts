/**
 * The model: what becomes of one new connection under a plan.
 *
 * This is the meaning of a plan, written as plainly as possible; `test/flows` holds it against its table, and the data
 * paths (userspace, nftables, iptables) against the same table. It is not on any hot path.
 */

import { addressMatcher, canonicalIp, endpointKey } from '../catalog/ip.ts';
import type { Family, Protocol } from '../catalog/records.ts';
import { publishedPort } from './published.ts';
import type { Plans } from './plan.ts';
import type { Choice, PlanContext, PortPlan, Source } from './types.ts';

export interface Flow {
  /** IP address of the client. */
  readonly source: string;
  readonly protocol: Protocol;
  /** An address and port, or a port that userspace mode publishes. */
  readonly to:
    | { readonly address: string; readonly port: number }
    | { readonly publish: string; readonly port: string | undefined };
}

/** `pass`: not ours, left to the host. `snat`: keys of the endpoints that would see the node instead of the client. */
export type Outcome =
  | {
      readonly kind: 'forward';
      readonly plan: PortPlan;
      readonly endpoints: readonly string[];
      readonly snat: readonly string[];
    }
  | { readonly kind: 'reject' }
  | { readonly kind: 'drop' }
  | { readonly kind: 'pass' };

export interface Model {
  resolve(flow: Flow): Outcome;
}

type Frontend = 'clusterIP' | 'external' | 'loadBalancer';

interface Entry {
  readonly plan: PortPlan;
  readonly frontend: Frontend;
}

/** Indexes the plans once. Where two Services claim the same address and port, the first by key has it. */
export function createModel(plans: Plans, context: PlanContext): Model {
  const entries = new Map<string, Entry>();
  const nodePorts = new Map<string, PortPlan>();
  const clusterIPs = new Set<string>();
  for (const key of [...plans.keys()].sort()) {
    for (const plan of plans.get(key)?.ports ?? []) index(plan, entries, nodePorts, clusterIPs);
  }
  const isPod = addressMatcher(context.podCIDRs);
  const inServiceCIDR = addressMatcher(context.serviceCIDRs);
  const sourceOf = (address: string): Source =>
    isPod(address) ? 'pod' : context.nodeAddresses.includes(address) ? 'node' : 'external';

  const toAddress = (source: string, address: string, port: number, protocol: Protocol): Outcome => {
    const entry = entries.get(frontendKey(address, port, protocol));
    if (entry !== undefined) return carry(entry, source, address, sourceOf(source), context);
    const nodePort = context.nodePortAddresses.includes(address)
      ? nodePorts.get(nodePortKey(port, protocol, address.includes(':') ? 'IPv6' : 'IPv4'))
      : undefined;
    if (nodePort !== undefined) return outcome(nodePort, nodePort.external[sourceOf(source)], source);
    // A port that an active ClusterIP does not have is refused at once; an address nobody has yet may get one soon.
    if (clusterIPs.has(address)) return { kind: 'reject' };
    return inServiceCIDR(address) ? { kind: 'drop' } : { kind: 'pass' };
  };

  return {
    resolve: ({ source: text, protocol, to }) => {
      if ('publish' in to) return toPublished(plans, to.publish, to.port);
      const source = canonicalIp(text)?.address ?? text;
      return toAddress(source, canonicalIp(to.address)?.address ?? to.address, to.port, protocol);
    },
  };
}

/** A published port cannot drop: the connection is already accepted when the plan is asked, so it is reset. */
function toPublished(plans: Plans, key: string, port: string | undefined): Outcome {
  const service = plans.get(key);
  const published = service === undefined ? undefined : publishedPort(service, port);
  if (published === undefined || 'problem' in published) return { kind: 'reject' };
  const choice = published.plan.internal.node;
  if (choice.kind !== 'forward') return { kind: 'reject' };
  const endpoints = choice.endpoints.map((endpoint) => endpoint.key);
  return { kind: 'forward', plan: published.plan, endpoints, snat: endpoints };
}

function index(
  plan: PortPlan,
  entries: Map<string, Entry>,
  nodePorts: Map<string, PortPlan>,
  clusterIPs: Set<string>,
): void {
  const add = (address: string, frontend: Frontend): void => {
    const key = frontendKey(address, plan.port, plan.protocol);
    if (!entries.has(key)) entries.set(key, { plan, frontend });
  };
  if (plan.clusterIP !== '') {
    clusterIPs.add(plan.clusterIP);
    add(plan.clusterIP, 'clusterIP');
  }
  for (const address of plan.externalIPs) add(address, 'external');
  for (const address of plan.loadBalancerIPs) add(address, 'loadBalancer');
  if (plan.nodePort === 0) return;
  const key = nodePortKey(plan.nodePort, plan.protocol, plan.family);
  if (!nodePorts.has(key)) nodePorts.set(key, plan);
}

function carry(
  { plan, frontend }: Entry,
  source: string,
  destination: string,
  from: Source,
  context: PlanContext,
): Outcome {
  if (frontend === 'clusterIP') return outcome(plan, plan.internal[from], source);
  if (frontend === 'loadBalancer' && !sourceAllowed(plan, source, destination, context))
    return { kind: 'drop' };
  return outcome(plan, plan.external[from], source);
}

/**
 * Source ranges guard load-balancer addresses alone, pods and nodes included. A node whose own address is allowed may
 * also come from the load-balancer address itself: some load balancers bind it on the node and loop it back.
 */
function sourceAllowed(plan: PortPlan, source: string, destination: string, context: PlanContext): boolean {
  if (plan.sourceRanges.length === 0) return true;
  const allowed = addressMatcher(plan.sourceRanges);
  if (allowed(source)) return true;
  return source === destination && context.nodeAddresses.some(allowed);
}

function outcome(plan: PortPlan, choice: Choice, source: string): Outcome {
  if (choice.kind !== 'forward') return choice;
  const endpoints = choice.endpoints.map((endpoint) => endpoint.key);
  const hairpin = choice.endpoints.filter((endpoint) => endpoint.address === source);
  const snat = choice.snat ? endpoints : hairpin.map((endpoint) => endpoint.key);
  return { kind: 'forward', plan, endpoints, snat };
}

function frontendKey(address: string, port: number, protocol: Protocol): string {
  return `${endpointKey(address, port)}/${protocol}`;
}

function nodePortKey(port: number, protocol: Protocol, family: Family): string {
  return `${port}/${protocol}/${family}`;
}
