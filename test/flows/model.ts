/**
 * The model executor: what the plan means, without any data path.
 *
 * Session affinity, which needs a history, is modelled here in its plainest form: a client's endpoint of a Service port and
 * until when it is kept.
 */

import { createModel, planAll } from '../../packages/proxy/src/plan/index.ts';
import type { Outcome } from '../../packages/proxy/src/plan/index.ts';
import { seededRandom } from '@outrigger/core/clock';
import { catalogOf, contextOf } from './cluster.ts';
import { replaceObjects } from './objects.ts';
import type { Connection, Expectation, FlowCase, FlowObject, Sequence } from './types.ts';

export interface Reached {
  /** What was asked of the connections of one step. */
  readonly step: number;
  /** The endpoint of each; undefined where there was none. */
  readonly endpoints: readonly (string | undefined)[];
  /** All that any of them could have reached. */
  readonly possible: readonly string[];
}

export function executeFlow(flowCase: FlowCase, connection: Connection): Expectation {
  return toExpectation(resolve(flowCase, flowCase.objects, connection));
}

/** What healthCheckNodePort answers, by Service. */
export function healthOf(flowCase: FlowCase): ReadonlyMap<string, number> {
  const plans = planAll(catalogOf(flowCase.objects), contextOf(flowCase, 'nftables'));
  return new Map(
    [...plans.values()].flatMap(({ key, healthCheck }) =>
      healthCheck === undefined ? [] : [[key, healthCheck.localEndpoints] as const],
    ),
  );
}

/** The endpoints reached by each connecting step of a sequence. */
export function executeSequence(flowCase: FlowCase, sequence: Sequence, seed: number): readonly Reached[] {
  const random = seededRandom(seed);
  const kept = new Map<string, { endpoint: string; untilMs: number }>();
  const reached: Reached[] = [];
  let objects: readonly FlowObject[] = flowCase.objects;
  let nowMs = 0;
  const connect = (connection: Connection): { endpoint: string | undefined; possible: readonly string[] } => {
    const outcome = resolve(flowCase, objects, connection);
    if (outcome.kind !== 'forward') return { endpoint: undefined, possible: [] };
    const { plan, endpoints } = outcome;
    const client = `${plan.id} ${connection.from}`;
    const known = kept.get(client);
    const faithful = known !== undefined && known.untilMs > nowMs && endpoints.includes(known.endpoint);
    const endpoint = faithful ? known.endpoint : endpoints[Math.floor(random.next() * endpoints.length)];
    if (plan.affinitySeconds > 0 && endpoint !== undefined) {
      kept.set(client, { endpoint, untilMs: nowMs + plan.affinitySeconds * 1000 });
    }
    return { endpoint, possible: endpoints };
  };
  sequence.steps.forEach((step, index) => {
    if (step.kind === 'wait') nowMs += step.ms;
    else if (step.kind === 'apply') objects = replaceObjects(objects, step.objects);
    else {
      const results = Array.from({ length: step.times }, () => connect(step));
      const possible = results[0]?.possible ?? [];
      reached.push({ step: index, endpoints: results.map((result) => result.endpoint), possible });
    }
  });
  return reached;
}

function resolve(
  flowCase: FlowCase,
  objects: readonly FlowObject[],
  { from, to, protocol }: Connection,
): Outcome {
  const context = contextOf(flowCase, to.kind === 'publish' ? 'userspace' : 'nftables');
  const model = createModel(planAll(catalogOf(objects), context), context);
  const destination =
    to.kind === 'publish' ? { publish: to.service, port: to.port } : { address: to.address, port: to.port };
  return model.resolve({ source: from, protocol, to: destination });
}

function toExpectation(outcome: Outcome): Expectation {
  if (outcome.kind !== 'forward') return { kind: outcome.kind };
  return { kind: 'forward', endpoints: outcome.endpoints.toSorted(), snat: outcome.snat.toSorted() };
}
