/** Content negotiation: which media type and which representation a client prefers of those there are. Pure. */

import { ApiError } from '@outrigger/core/api';

export type Format = 'json' | 'yaml';
export type Form = 'plain' | 'table' | 'partial' | 'partialList';

export interface Accepted {
  readonly format: Format;
  readonly form: Form;
}

export interface MediaRange {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

const mediaTypes: readonly string[] = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
];
const formats: ReadonlyMap<string, Format> = new Map([
  ['application/json', 'json'],
  ['application/*', 'json'],
  ['*/*', 'json'],
  ['application/yaml', 'yaml'],
]);

/** The first range, best quality first, that can be served. Throws 406. */
export function accept(header: string | undefined, forms: readonly Form[]): Accepted {
  if (header === undefined || header === '' || header === '*/*' || header === 'application/json')
    return plainJson;
  for (const range of mediaRanges(header)) {
    const format = formats.get(range.type);
    const form = formOf(range);
    if (format !== undefined && form !== undefined && forms.includes(form)) return { format, form };
  }
  throw ApiError.notAcceptable(mediaTypes.slice(0, 2));
}

const plainJson: Accepted = Object.freeze({ format: 'json', form: 'plain' });

function formOf({ parameters }: MediaRange): Form | undefined {
  const as = parameters.get('as');
  if (as === undefined) return parameters.get('stream') === undefined ? 'plain' : undefined;
  if (parameters.get('g') !== 'meta.k8s.io' || parameters.get('v') !== 'v1') return undefined;
  if (as === 'Table') return 'table';
  if (as === 'PartialObjectMetadata') return 'partial';
  return as === 'PartialObjectMetadataList' ? 'partialList' : undefined;
}

/** Ranges by falling quality, in the order given where that is equal. */
export function mediaRanges(header: string): MediaRange[] {
  const ranges = header.split(',').map(mediaRange);
  return ranges.filter(({ quality }) => quality > 0).sort((a, b) => b.quality - a.quality);
}

function mediaRange(text: string): MediaRange {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim());
  const parameters = new Map(
    rest.map((part): [string, string] => {
      const equals = part.indexOf('=');
      return equals < 0
        ? [part.toLowerCase(), '']
        : [part.slice(0, equals).toLowerCase(), part.slice(equals + 1)];
    }),
  );
  const quality = Number(parameters.get('q') ?? 1);
  return { type: type.toLowerCase(), parameters, quality: Number.isNaN(quality) ? 0 : quality };
}
