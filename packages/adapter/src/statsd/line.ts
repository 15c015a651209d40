/**
 * One StatsD line → samples (the format of etsy/statsd, with DogStatsD's tags).
 *
 *     NAME:VALUE|TYPE[|@RATE][|#TAG:VALUE,…]      several VALUE|TYPE… parts may follow, joined by ':', when no tags are given
 *
 * Types: `c` counter, `g` gauge (a sign makes it relative), `ms` timer in milliseconds, `h` and `d` observations as
 * they are. A sampled counter counts 1/rate; a sampled observation weighs 1/rate. Unknown parts are skipped rather than
 * dropping the sample, because newer clients send parts that older servers never heard of.
 */

export type SampleKind = 'counter' | 'gauge' | 'observation';

export interface Sample {
  readonly name: string;
  readonly kind: SampleKind;
  /** Counter increment (already divided by the rate), gauge value, or observation in seconds for `ms`. */
  readonly value: number;
  /** A gauge value to add rather than to set. */
  readonly relative: boolean;
  /** How many observations this one stands for; 1 unless sampled. */
  readonly weight: number;
  readonly tags: readonly (readonly [string, string])[];
}

/** Why a line, or one of its samples, was not taken: a label of the error counter. */
export type LineError =
  'malformed' | 'not-utf8' | 'bad-value' | 'bad-rate' | 'bad-type' | 'bad-tag' | 'negative-counter';

export interface ParsedLine {
  readonly samples: readonly Sample[];
  readonly errors: readonly LineError[];
}

export function parseLine(line: string): ParsedLine {
  const errors: LineError[] = [];
  const colon = line.indexOf(':');
  if (line.includes('\uFFFD')) return { samples: [], errors: ['not-utf8'] };
  if (colon <= 0) return { samples: [], errors: ['malformed'] };
  const name = line.slice(0, colon);
  const body = line.slice(colon + 1);
  const parts = body.includes('|#') ? [body] : body.split(':');
  const samples = parts
    .map((part) => parseSample(name, part, errors))
    .filter((sample) => sample !== undefined);
  return { samples, errors };
}

function parseSample(name: string, text: string, errors: LineError[]): Sample | undefined {
  const [valueText = '', type, ...parts] = text.split('|');
  const kind = kindOf(type);
  if (type === undefined) return void errors.push('malformed');
  if (kind === undefined) return void errors.push('bad-type');
  const value = valueText.trim() === '' ? Number.NaN : Number(valueText);
  if (!Number.isFinite(value)) return void errors.push('bad-value');
  let rate = 1;
  let tags: [string, string][] = [];
  for (const part of parts) {
    if (part.startsWith('@')) rate = parseRate(part.slice(1), errors);
    else if (part.startsWith('#')) tags = parseTags(part.slice(1), errors);
  }
  if (kind === 'counter' && value < 0) return void errors.push('negative-counter');
  return {
    name,
    kind,
    value: kind === 'counter' ? value / rate : type === 'ms' ? value / 1000 : value,
    relative: kind === 'gauge' && /^[+-]/.test(valueText),
    weight: kind === 'observation' ? 1 / rate : 1,
    tags,
  };
}

function kindOf(type: string | undefined): SampleKind | undefined {
  switch (type) {
    case 'c':
      return 'counter';
    case 'g':
      return 'gauge';
    case 'ms':
    case 'h':
    case 'd':
      return 'observation';
    default:
      return undefined;
  }
}

/** A rate that cannot be is an error, but the sample still happened: it counts once. */
function parseRate(text: string, errors: LineError[]): number {
  const rate = Number(text);
  if (rate > 0 && rate <= 1) return rate;
  errors.push('bad-rate');
  return 1;
}

function parseTags(text: string, errors: LineError[]): [string, string][] {
  const tags: [string, string][] = [];
  for (const tag of text.split(',')) {
    if (tag === '') continue;
    const colon = tag.indexOf(':');
    if (colon <= 0 || colon === tag.length - 1) errors.push('bad-tag');
    else tags.push([tag.slice(0, colon).replace(/^#/, ''), tag.slice(colon + 1)]);
  }
  return tags;
}
