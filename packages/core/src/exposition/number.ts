/** Numbers as the formats want them: values any Go program can read, bounds and quantiles in one canonical form. */

/** A value: the shortest decimal text that reads back as the same number; `NaN`, `+Inf`, `-Inf`. */
export function valueText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}

/** As Go's %g writes it, which is what exporters put into `le` and `quantile`: `0.5`, `1`, `1e-05`, `1e+06`. */
export function boundText(value: number): string {
  if (!Number.isFinite(value) || value === 0) return valueText(value);
  const magnitude = Math.abs(value);
  if (magnitude >= 1e-4 && magnitude < 1e6) return String(value);
  const [mantissa = '', exponentText = '0'] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  const digits = String(Math.abs(exponent)).padStart(2, '0');
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${digits}`;
}

/** OpenMetrics' canonical number: the same with `.0` where it would look like an integer. */
export function canonicalNumber(value: number): string {
  const text = boundText(value);
  return /[.eaI]/.test(text) ? text : `${text}.0`;
}

/** What a page or a configuration may say for a number: as Go's ParseFloat reads it, without hexadecimal. */
export function readNumber(text: string): number | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  if (/^\+?inf(inity)?$/i.test(text)) return Number.POSITIVE_INFINITY;
  if (/^-inf(inity)?$/i.test(text)) return Number.NEGATIVE_INFINITY;
  return /^nan$/i.test(text) ? Number.NaN : undefined;
}
