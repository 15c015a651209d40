/** Carries out a plan in an order in which no endpoint is ever missing in between: first what adds, last what removes. */

import type { EndpointSlice } from '@outrigger/core/api';
import type { ObjectKey } from '../keys.ts';
import type { Writer } from '../writer.ts';
import { writeAll } from '../writer.ts';
import type { SlicePlan } from './pack.ts';

/** `before` are the slices the plan was made from. Answers how many objects were written. */
export async function applyPlan(
  writer: Writer<EndpointSlice>,
  service: ObjectKey,
  plan: SlicePlan,
  before: readonly EndpointSlice[],
): Promise<number> {
  const sizes = new Map(before.map(({ metadata, endpoints }) => [metadata.name, (endpoints ?? []).length]));
  const shrinks = ({ metadata, endpoints }: EndpointSlice): boolean =>
    (endpoints ?? []).length < (sizes.get(metadata.name) ?? 0);
  const update = (slice: EndpointSlice) => () => writer.update(service, slice);
  await writeAll([
    ...plan.create.map((slice) => () => writer.create(service, slice)),
    ...plan.update.filter((slice) => !shrinks(slice)).map(update),
  ]);
  await writeAll(plan.update.filter(shrinks).map(update));
  await writeAll(plan.delete.map((slice) => () => writer.delete(service, slice)));
  return plan.create.length + plan.update.length + plan.delete.length;
}
