/** A source that is one page over HTTP in a text of its own, with a metric that says whether it answered. */

import type { SourceHttp } from '@outrigger/core/api';
import type { Deps } from '@outrigger/core/lifecycle';
import { Fetcher } from '../http/fetch.ts';
import { httpOptions } from '../http/options.ts';
import { urlAt } from '../http/place.ts';
import { FamilyBuilder } from './families.ts';
import { SourceError } from './source.ts';
import type { Answer, Place, Source } from './source.ts';

export interface FetchedSpec {
  readonly url: string;
  readonly http: SourceHttp;
}

export type FetchedDeps = Pick<Deps, 'environment'>;

export interface Dialect {
  /** 1 when the page was read, 0 when it could not be. */
  readonly up: { readonly name: string; readonly type: 'gauge'; readonly help: string };
  /** Adds what the page says; answers what of it could not be used. Throws SourceError. */
  readonly read: (text: string, to: FamilyBuilder) => Readonly<Record<string, number>>;
}

/** Throws CONFIG_INVALID. */
export function fetchedSource(spec: FetchedSpec, place: Place, deps: FetchedDeps, dialect: Dialect): Source {
  const url = urlAt(place);
  const fetcher = new Fetcher(httpOptions(spec.http), deps.environment ?? {});
  return {
    async collect(asked): Promise<Answer> {
      try {
        const { body } = await fetcher.fetch({ url }, asked);
        const builder = new FamilyBuilder();
        builder.add(dialect.up, 1);
        const dropped = dialect.read(body.toString('utf8'), builder);
        return { families: builder.families(), dropped };
      } catch (error) {
        throw withDown(error, dialect);
      }
    },
    close: () => fetcher.close(),
  };
}

function withDown(error: unknown, { up }: Dialect): unknown {
  if (!(error instanceof SourceError)) return error;
  const builder = new FamilyBuilder();
  builder.add(up, 0);
  return new SourceError(error.class, error.message, { cause: error, families: builder.families() });
}
