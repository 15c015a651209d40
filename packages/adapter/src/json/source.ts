/** JSON over HTTP as a source, and as what /probe asks. */

import type { MetricsSource } from '@outrigger/core/api';
import type { Clock } from '@outrigger/core/clock';
import { describeError } from '@outrigger/core/errors';
import { Fetcher } from '../http/fetch.ts';
import { shownUrl } from '../http/failure.ts';
import { OAuthTokens } from '../http/oauth.ts';
import type { HttpOptions } from '../http/options.ts';
import { urlAt } from '../http/place.ts';
import type { Environment } from '../http/secrets.ts';
import type { Answer, Asked, Place, Source } from '../sources/source.ts';
import { SourceError } from '../sources/source.ts';
import { withSourceHttp } from './client.ts';
import { extract } from './extract.ts';
import type { JsonModule, JsonModules } from './modules.ts';

export type JsonSpec = NonNullable<MetricsSource['json']>;

export interface JsonDeps {
  /** Those of now: they may be read again while the source lives. */
  readonly modules: () => JsonModules;
  readonly clock: Clock;
  readonly environment?: Environment;
}

export function jsonSource(spec: JsonSpec, place: Place, deps: JsonDeps): Source {
  const url = urlAt(place);
  const fetchers = new ModuleFetchers((module) =>
    fetcherOf(withSourceHttp(module.http, spec.http), module, deps),
  );
  return {
    collect: (asked) => ask(fetchers, moduleOf(deps.modules(), spec.module), url, asked),
    close: () => fetchers.close(),
  };
}

/** `/probe?target=URL&module=NAME`; whether the target may be asked is for the page to decide. */
export class JsonProbe {
  readonly #deps: JsonDeps;
  readonly #fetchers: ModuleFetchers;

  constructor(deps: JsonDeps) {
    this.#deps = deps;
    this.#fetchers = new ModuleFetchers((module) => fetcherOf(module.http, module, deps));
  }

  /** Throws SourceError; CONFIG_INVALID for a target that is no URL. */
  async probe(target: string, module: string, asked: Asked): Promise<Answer> {
    const url = urlAt({ address: target, labels: {} });
    return ask(this.#fetchers, moduleOf(this.#deps.modules(), module), url, asked);
  }

  close(): Promise<void> {
    return this.#fetchers.close();
  }
}

function fetcherOf(http: HttpOptions, { oauth }: JsonModule, { clock, environment = {} }: JsonDeps): Fetcher {
  if (oauth === undefined || http.authentication.type !== 'none') return new Fetcher(http, environment);
  const from = new OAuthTokens(oauth, environment, clock);
  return new Fetcher({ ...http, authentication: { type: 'token', from } }, environment);
}

/** One for each module, closed when the module is no longer what it was. */
class ModuleFetchers {
  readonly #make: (module: JsonModule) => Fetcher;
  readonly #made = new Map<string, { readonly module: JsonModule; readonly fetcher: Fetcher }>();

  constructor(make: (module: JsonModule) => Fetcher) {
    this.#make = make;
  }

  of(name: string, module: JsonModule): Fetcher {
    const known = this.#made.get(name);
    if (known?.module === module) return known.fetcher;
    const fetcher = this.#make(module);
    this.#made.set(name, { module, fetcher });
    known?.fetcher.retire();
    return fetcher;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#made.values()].map(({ fetcher }) => fetcher.close()));
    this.#made.clear();
  }
}

interface NamedModule {
  readonly name: string;
  readonly module: JsonModule;
}

function moduleOf(modules: JsonModules, name: string): NamedModule {
  const module = modules.get(name);
  if (module !== undefined) return { name, module };
  const known = [...modules.keys()].join(', ');
  const hint = known === '' ? 'there are none: name a file in jsonModules' : `there are ${known}`;
  throw new SourceError('internal', `there is no module ${JSON.stringify(name)}; ${hint}`);
}

async function ask(
  fetchers: ModuleFetchers,
  { name, module }: NamedModule,
  url: URL,
  asked: Asked,
): Promise<Answer> {
  const { body, validStatus } = module;
  const request = { url, body, ...(validStatus === undefined ? {} : { validStatus }) };
  const page = await fetchers.of(name, module).fetch(request, asked);
  return extract(module.metrics, parsed(page.body, url));
}

function parsed(body: Buffer, url: URL): unknown {
  try {
    // A byte order mark is no JSON, but some servers send it.
    return JSON.parse(body.toString('utf8').replace(/^\uFEFF/, ''));
  } catch (error) {
    const text = `${shownUrl(url)} answered no JSON: ${describeError(error)}; check path and headers`;
    throw new SourceError('parse', text, { cause: error });
  }
}
