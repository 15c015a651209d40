/** A registry with a clock of its own, and what its page says. */

import { FakeClock } from '@outrigger/core/clock';
import { BlockPool, PageWriter, negotiate, writeEnd } from '@outrigger/core/exposition';
import type { LabelPairs } from '@outrigger/core/exposition';
import { SeriesRegistry } from '../../src/series/registry.ts';
import type { RegistryOptions } from '../../src/series/registry.ts';
import { writeStored } from '../../src/series/render.ts';
import type { SeriesSpec } from '../../src/series/series.ts';

export function newRegistry(options: Partial<RegistryOptions> = {}) {
  const clock = new FakeClock();
  const registry = new SeriesRegistry({ maxSeries: 100, labels: {}, ...options }, clock);
  return { clock, registry, page: (accept?: string) => pageOf(registry, accept) };
}

export function spec(name: string, labels: LabelPairs = [], more: Partial<SeriesSpec> = {}): SeriesSpec {
  return { name, type: 'counter', help: `${name}.`, labels, source: 'test', ttlMs: 0, ...more };
}

export async function pageOf(registry: SeriesRegistry, accept?: string): Promise<string> {
  const out = new PageWriter(new BlockPool());
  const format = negotiate(accept);
  for (const family of registry.families()) await writeStored(registry, family, out, format, () => undefined);
  writeEnd(out, format);
  return Buffer.concat(out.finish()).toString('utf8');
}
