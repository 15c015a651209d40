/** Kinds of sources: where each is asked, and what makes it. One line a kind. */

import type { MetricsSource } from '@outrigger/core/api';
import { sourceKinds } from '@outrigger/core/api';
import type { Deps } from '@outrigger/core/lifecycle';
import type { JsonModules } from '../json/modules.ts';
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

/** Makes the source of one place. `before`: the closed one of the same name that this one takes the place of. */
export type MakeSource = (
  source: MetricsSource,
  place: Place,
  context: SourceContext,
  before: Source | undefined,
) => Source;

type Make<K extends SourceKind> = (
  spec: NonNullable<MetricsSource[K]>,
  place: Place,
  context: SourceContext,
  source: MetricsSource,
  before: Source | undefined,
) => Source;

interface Kind<K extends SourceKind> {
  /** The address, perhaps with `svc:`; absent: it is asked at no address. */
  readonly address?: (spec: NonNullable<MetricsSource[K]>) => string;
  /** Imports what makes it: an adapter pays for the kinds it uses, some 13 MiB for those over HTTP. */
  readonly load: () => Promise<Make<K>>;
}

const kinds: { readonly [K in SourceKind]: Kind<K> } = {
  prometheus: {
    address: (spec) => spec.url,
    load: async () => {
      const { prometheusSource } = await import('../prometheus/source.ts');
      return (spec, place, { deps }) => prometheusSource(spec, place, deps);
    },
  },
  json: {
    address: (spec) => spec.url,
    load: async () => {
      const { jsonSource } = await import('../json/source.ts');
      return (spec, place, { deps, modules }) => jsonSource(spec, place, { ...deps, modules });
    },
  },
  jolokia: {
    address: (spec) => spec.url,
    load: async () => {
      const { jolokiaSource } = await import('../jolokia/source.ts');
      return (spec, place, { deps }) => jolokiaSource(spec, place, deps);
    },
  },
  redis: {
    address: (spec) => spec.address,
    load: async () => {
      const { redisSource } = await import('../redis/source.ts');
      return (spec, place, { deps }) => redisSource(spec, place, deps);
    },
  },
  nginx: {
    address: (spec) => spec.url,
    load: async () => {
      const { nginxSource } = await import('../nginx/source.ts');
      return (spec, place, { deps }) => nginxSource(spec, place, deps);
    },
  },
  haproxy: {
    address: (spec) => spec.url,
    load: async () => {
      const { haproxySource } = await import('../haproxy/source.ts');
      return (spec, place, { deps }) => haproxySource(spec, place, deps);
    },
  },
  pod: {
    load: async () => {
      const { podSource } = await import('../pod/source.ts');
      return (spec) => podSource(spec);
    },
  },
  log: {
    load: async () => {
      const { LogSource, logSource } = await import('../logs/source.ts');
      return (_spec, _place, { deps, store, timerBuckets }, source, before) =>
        logSource(source, {
          ...{ clock: deps.clock, log: deps.log, store, timerBuckets },
          ...(before instanceof LogSource ? { positions: before.positions } : {}),
        });
    },
  },
};

export function kindOf(source: MetricsSource): SourceKind {
  const kind = sourceKinds.find((one) => source[one] !== undefined);
  if (kind === undefined) throw new TypeError(`source ${source.name} is of no kind`);
  return kind;
}

/** What to follow; '' where there is no address. */
export function addressOf(source: MetricsSource): string {
  const { kind, spec } = configured(source, kindOf(source));
  return kind.address?.(spec) ?? '';
}

export async function loadKind(source: MetricsSource): Promise<MakeSource> {
  const name = kindOf(source);
  const make = await kinds[name].load();
  return (made, place, context, before) => {
    const { spec } = configured(made, name);
    return (make as Make<SourceKind>)(spec, place, context, made, before);
  };
}

function configured<K extends SourceKind>(
  source: MetricsSource,
  name: K,
): { readonly kind: Kind<K>; readonly spec: NonNullable<MetricsSource[K]> } {
  return { kind: kinds[name], spec: source[name] as NonNullable<MetricsSource[K]> };
}
