/** A parsed document and the metrics of a module → families. What cannot be had is counted, and costs itself alone. */

import { nextTurn } from '@outrigger/core/clock';
import type { LabelPairs } from '@outrigger/core/exposition';
import { textOf } from '../jsonpath/path.ts';
import type { Answer } from '../sources/source.ts';
import { FamilyBuilder } from '../sources/families.ts';
import type { JsonMetric } from './modules.ts';
import { numberIn } from './value.ts';

/** Objects worked on before everything else gets its turn. */
const perTurn = 500;

/** Drops: missing (no such path), not-a-number, duplicate (a sample with the same labels was there before). */
export async function extract(metrics: readonly JsonMetric[], document: unknown): Promise<Answer> {
  const builder = new FamilyBuilder();
  const dropped: Record<string, number> = {};
  let done = 0;
  for (const metric of metrics) {
    const objects = metric.objects === undefined ? [document] : metric.objects.select(document);
    if (objects === undefined && !metric.mayBeMissing) count(dropped, 'missing');
    for (const object of objects ?? []) {
      const reason = take(metric, object, builder);
      if (reason !== undefined && !(reason === 'missing' && metric.mayBeMissing)) count(dropped, reason);
      if (++done % perTurn === 0) await nextTurn();
    }
  }
  return { families: builder.families(), dropped };
}

function take(metric: JsonMetric, object: unknown, builder: FamilyBuilder): string | undefined {
  const found = metric.value.resolve(object);
  if (found === undefined || found === '') return 'missing';
  const value = numberIn(found);
  if (value === undefined) return 'not-a-number';
  return builder.add(metric.family, value, labelsOf(metric, object)) ? undefined : 'duplicate';
}

/** In one order for a metric, so that equal sets are found equal. Empty labels are none. */
function labelsOf(metric: JsonMetric, object: unknown): LabelPairs {
  return metric.labels
    .map(([name, path]) => [name, textOf(path.resolve(object))] as const)
    .filter(([, text]) => text !== '');
}

function count(dropped: Record<string, number>, reason: string): void {
  dropped[reason] = (dropped[reason] ?? 0) + 1;
}
