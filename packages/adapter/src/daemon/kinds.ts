/** Kinds of sources: where each is asked, and what makes it. One line a kind. */

import type { MetricsSource } from '@outrigger/core/api';
import { sourceKinds } from '@outrigger/core/api';
import type { Deps } from '@outrigger/core/lifecycle';
import { haproxySource } from '../haproxy/source.ts';
import type { JsonModules } from '../json/modules.ts';
import { jsonSource } from '../json/source.ts';
import { jolokiaSource } from '../jolokia/source.ts';
import { LogSource, logSource } from '../logs/source.ts';
import { nginxSource } from '../nginx/source.ts';
import { podSource } from '../pod/source.ts';
import { prometheusSource } from '../prometheus/source.ts';
import { redisSource } from '../redis/source.ts';
import type { SeriesStore } from '../series/series.ts';
import type { Place, Source } from '../sources/source.ts';

export type SourceKind = (typeof sourceKinds)[number];

/** What sources are made with. */
export interface SourceContext {
  readonly deps: Deps;
  readonly store: SeriesStore;
  readonly timerBuckets: readonly number[];
  /** Those of now: the file may be read again while sources live. */
  readonly modules: () => JsonModules;
}

interface Kind<K extends SourceKind> {
  /** The address, perhaps with `svc:`; undefined: it is no address. */
  readonly address: (spec: NonNullable<MetricsSource[K]>) => string | undefined;
  /** `before`: the closed source of the same name and kind that this one takes the place of. */
  readonly make: (
    spec: NonNullable<MetricsSource[K]>,
    place: Place,
    context: SourceContext,
    source: MetricsSource,
    before: Source | undefined,
  ) => Source;
}

const kinds: { readonly [K in SourceKind]: Kind<K> } = {
  prometheus: {
    address: (spec) => spec.url,
    make: (spec, place, { deps }) => prometheusSource(spec, place, deps),
  },
  json: {
    address: (spec) => spec.url,
    make: (spec, place, { deps, modules }) => jsonSource(spec, place, { ...deps, modules }),
  },
  jolokia: { address: (spec) => spec.url, make: (spec, place, { deps }) => jolokiaSource(spec, place, deps) },
  redis: { address: (spec) => spec.address, make: (spec, place, { deps }) => redisSource(spec, place, deps) },
  nginx: { address: (spec) => spec.url, make: (spec, place, { deps }) => nginxSource(spec, place, deps) },
  haproxy: { address: (spec) => spec.url, make: (spec, place, { deps }) => haproxySource(spec, place, deps) },
  pod: { address: () => undefined, make: (spec) => podSource(spec) },
  log: {
    address: () => undefined,
    make: (_spec, _place, { deps, store, timerBuckets }, source, before) =>
      logSource(source, {
        ...{ clock: deps.clock, log: deps.log, store, timerBuckets },
        ...(before instanceof LogSource ? { positions: before.positions } : {}),
      }),
  },
};

export function kindOf(source: MetricsSource): SourceKind {
  const kind = sourceKinds.find((one) => source[one] !== undefined);
  if (kind === undefined) throw new TypeError(`source ${source.name} is of no kind`);
  return kind;
}

/** What to follow; '' where there is no address. */
export function addressOf(source: MetricsSource): string {
  return call(kindOf(source), source, (kind, spec) => kind.address(spec)) ?? '';
}

export function makeSource(
  source: MetricsSource,
  place: Place,
  context: SourceContext,
  before?: Source,
): Source {
  return call(kindOf(source), source, (kind, spec) => kind.make(spec, place, context, source, before));
}

function call<K extends SourceKind, R>(
  name: K,
  source: MetricsSource,
  use: (kind: Kind<K>, spec: NonNullable<MetricsSource[K]>) => R,
): R {
  return use(kinds[name] as Kind<K>, source[name] as NonNullable<MetricsSource[K]>);
}
