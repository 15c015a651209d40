/** Which format a scraper gets, by its Accept header: as Prometheus' own exporters choose. */

import { escapings } from './names.ts';
import type { Escaping } from './names.ts';

export interface Format {
  readonly kind: 'text' | 'openmetrics';
  readonly escaping: Escaping;
  /** With the version that was asked for, and the escaping if it was. */
  readonly contentType: string;
}

export const textFormat: Format = {
  kind: 'text',
  escaping: 'underscores',
  contentType: 'text/plain; version=0.0.4; charset=utf-8',
};

/** Ranges beyond these are not read: no scraper sends as many. */
const maxRanges = 32;

const textType = 'text/plain';
const openMetricsType = 'application/openmetrics-text';

/**
 * The known type and version with the highest q, of equals the first; text 0.0.4 when none is known. `text/plain` is
 * known as 0.0.4 and, since Prometheus 3, as 1.0.0, which is the same with names of any text.
 */
export function negotiate(accept: string | undefined): Format {
  const ranges = (accept ?? '').split(',', maxRanges).map(readRange);
  let best: Format | undefined;
  let bestQ = 0;
  for (const { type, parameters, q } of ranges) {
    const format = q > bestQ ? formatOf(type, parameters) : undefined;
    if (format === undefined) continue;
    best = format;
    bestQ = q;
  }
  return best ?? textFormat;
}

interface Range {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly q: number;
}

function readRange(text: string): Range {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim());
  const parameters = new Map<string, string>();
  for (const part of rest) {
    const equals = part.indexOf('=');
    if (equals === -1) continue;
    const value = part.slice(equals + 1).trim();
    parameters.set(part.slice(0, equals).trim().toLowerCase(), value.replace(/^"(.*)"$/, '$1'));
  }
  const q = parameters.get('q');
  return { type: type.toLowerCase(), parameters, q: q === undefined ? 1 : Number(q) || 0 };
}

function formatOf(type: string, parameters: ReadonlyMap<string, string>): Format | undefined {
  const version = parameters.get('version');
  const asked = escapings.find((escaping) => escaping === parameters.get('escaping'));
  const escaping = asked ?? 'underscores';
  const echo = asked === undefined ? '' : `; escaping=${asked}`;
  if (type === openMetricsType && [undefined, '1.0.0', '0.0.1'].includes(version)) {
    const contentType = `${openMetricsType}; version=${version ?? '1.0.0'}; charset=utf-8${echo}`;
    return { kind: 'openmetrics', escaping, contentType };
  }
  const isText = type === textType || type === 'text/*' || type === '*/*';
  if (isText && [undefined, '0.0.4', '1.0.0'].includes(version)) {
    const contentType = `${textType}; version=${version ?? '0.0.4'}; charset=utf-8${echo}`;
    return { kind: 'text', escaping, contentType };
  }
  return undefined;
}
