/** Names outside Prometheus' old set (any Unicode text since Prometheus 3), for readers that do not take them as they are. */

/** How such names are written, as the scraper's `escaping=` asks. */
export type Escaping = 'allow-utf-8' | 'underscores' | 'dots' | 'values';

export const escapings: readonly Escaping[] = ['allow-utf-8', 'underscores', 'dots', 'values'];

const metricPattern = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const labelPattern = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export function isLegacyMetricName(name: string): boolean {
  return metricPattern.test(name);
}

export function isLegacyLabelName(name: string): boolean {
  return labelPattern.test(name);
}

export function escapeMetricName(name: string, escaping: Escaping): string {
  return escapeName(name, escaping, metricPattern);
}

export function escapeLabelName(name: string, escaping: Escaping): string {
  return escapeName(name, escaping, labelPattern);
}

function escapeName(name: string, escaping: Escaping, legacy: RegExp): string {
  if (escaping === 'allow-utf-8' || name === '') return name;
  const isLegacy = legacy.test(name);
  // `dots` must be undone by the reader, so that it writes underscores of every name differently.
  if (isLegacy && escaping !== 'dots') return name;
  const colon = legacy === metricPattern;
  let text = escaping === 'values' ? 'U__' : '';
  let first = true;
  for (const char of name) {
    text += escapeChar(char, first, colon, escaping);
    first = false;
  }
  return text;
}

function escapeChar(char: string, first: boolean, colon: boolean, escaping: Escaping): string {
  const plain = /[a-zA-Z]/.test(char) || (!first && /[0-9]/.test(char)) || (colon && char === ':');
  if (plain) return char;
  switch (escaping) {
    case 'dots':
      return char === '.' ? '_dot_' : '__';
    case 'values': {
      if (char === '_') return '__';
      const code = char.codePointAt(0) ?? 0;
      return code >= 0xd800 && code <= 0xdfff ? '_FFFD_' : `_${code.toString(16)}_`;
    }
    default:
      return '_';
  }
}
