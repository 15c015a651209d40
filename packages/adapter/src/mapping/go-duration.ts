/** Durations as Go writes them: `1h30m`, `1.5s`, `250ms`; a bare number counts nanoseconds. */

const milliseconds: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds, or undefined where it is no duration. */
export function goDurationMs(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? value * 1e-6 : undefined;
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  if (/^[+-]?0$/.test(text)) return 0;
  const whole = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.exec(text);
  if (whole === null) return undefined;
  let sum = 0;
  for (const [, digits = '', unit = ''] of (whole[2] ?? '').matchAll(/([\d.]+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    sum += Number(digits) * (milliseconds[unit] ?? Number.NaN);
  }
  return whole[1] === '-' ? -sum : sum;
}
