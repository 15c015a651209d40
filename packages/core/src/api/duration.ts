/**
 * Durations as people write them: `250ms`, `30s`, `1h30m`, `1.5s`, `0` (Go's form, which includes the Gateway API's).
 * In the program they are milliseconds; a fraction is kept.
 */

import { OutriggerError } from '../errors/index.ts';

const unitMs: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
]);
const wholeForm = /^(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))*$/;
const oneTerm = /([\d.]+)(ns|us|µs|ms|s|m|h)/g;
/** Longer texts are refused unread: no sensible duration needs them. */
const maxLength = 64;

/** Milliseconds, or undefined where the text is not a duration. Negative durations are not taken. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (text.length > maxLength || !wholeForm.test(text)) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(oneTerm))
    total += Number(count) * (unitMs.get(unit ?? '') ?? 0);
  return total;
}

/** For values that validation has passed: milliseconds, or an error that names the field. */
export function durationMs(text: string, field: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  throw new OutriggerError(`${field}: "${text}" is not a duration`, {
    code: 'API_BAD_DURATION',
    target: field,
    hint: 'write a number and a unit, such as 250ms, 30s or 1h30m',
  });
}

/** The shortest form in whole units down to the millisecond: `1h30m`, `1s500ms`, `0s`. */
export function formatDuration(ms: number): string {
  let rest = Math.round(ms);
  let text = '';
  for (const unit of ['h', 'm', 's', 'ms']) {
    const size = unitMs.get(unit) ?? 1;
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text === '' ? '0s' : text;
}

/** An age as kubectl prints it: two units while they matter, then one (`2m5s`, `3h`, `2d4h`, `400d`). */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1_000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return twoUnits(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return twoUnits(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (days < 8) return twoUnits(days, 'd', hours % 24, 'h');
  if (days < 365 * 2) return `${days}d`;
  const years = Math.trunc(days / 365);
  return years < 8 ? twoUnits(years, 'y', days % 365, 'd') : `${years}y`;
}

function twoUnits(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big}${bigUnit}` : `${big}${bigUnit}${small}${smallUnit}`;
}
