/** Another Prometheus page as a source: asked as Prometheus asks, passed on without timestamps. */

import type { MetricsSource } from '@outrigger/core/api';
import { Fetcher } from '../http/fetch.ts';
import { shownUrl } from '../http/failure.ts';
import { httpOptions } from '../http/options.ts';
import { urlAt } from '../http/place.ts';
import type { Environment } from '../http/secrets.ts';
import type { Answer, Asked, Place, Source } from '../sources/source.ts';
import { SourceError } from '../sources/source.ts';
import { formatOf, PageError, parsePageInTurns } from './parse.ts';

export type PrometheusSpec = NonNullable<MetricsSource['prometheus']>;

/** The order in which Prometheus 3 asks, without protobuf. */
const accept = [
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5',
  'application/openmetrics-text;version=0.0.1;q=0.4',
  'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3',
  'text/plain;version=0.0.4;q=0.2',
  '*/*;q=0.1',
].join(',');

/** Labels of the source and of the place are added by the page, with `sourceLabel` and `honorLabels`. */
export function prometheusSource(
  spec: PrometheusSpec,
  place: Place,
  deps: { readonly environment?: Environment },
): Source {
  const url = urlAt(place);
  const fetcher = new Fetcher(httpOptions(spec.http), deps.environment ?? {});
  return {
    collect: (asked) => collect(fetcher, url, asked),
    close: () => fetcher.close(),
  };
}

async function collect(fetcher: Fetcher, url: URL, asked: Asked): Promise<Answer> {
  const page = await fetcher.fetch({ url, headers: { accept }, tellTimeout: true }, asked);
  try {
    return await parsePageInTurns(page.body.toString('utf8'), formatOf(page.contentType));
  } catch (error) {
    if (!(error instanceof PageError)) throw error;
    const type = page.contentType === '' ? 'no content type' : page.contentType.slice(0, 100);
    const text = `${shownUrl(url)} (${type}): ${error.message}; is it a Prometheus page?`;
    throw new SourceError('parse', text, { cause: error });
  }
}
