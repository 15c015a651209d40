/** What is counted when a log has a format and no rules. Every label has few values, whatever clients send. */

import type { Fields, LogFormat } from './fields.ts';
import { numberOf } from './rules.ts';
import type { CompiledRule } from './rules.ts';

/** Of RFC 9110 and 5789, and those of WebDAV that servers see. */
const methods: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'],
  ...['PROPFIND', 'PROPPATCH', 'MKCOL', 'COPY', 'MOVE', 'LOCK', 'UNLOCK'],
]);

export function readyMadeRules(
  format: LogFormat | undefined,
  timerBounds: readonly number[],
): readonly CompiledRule[] {
  if (format === undefined) return [lineRule([], () => [])];
  if (format === 'json') return [lineRule(['level'], (fields) => [levelOf(fields)])];
  return accessRules(timerBounds);
}

function lineRule(labelNames: readonly string[], labels: (fields: Fields) => string[]): CompiledRule {
  return {
    name: 'log_lines_total',
    type: 'counter',
    help: 'Lines of the log.',
    labelNames,
    bounds: undefined,
    update: (_, fields) => ({ labels: labels(fields), value: 1 }),
  };
}

function accessRules(timerBounds: readonly number[]): CompiledRule[] {
  const labelNames = ['method', 'status'];
  const labels = (fields: Fields): string[] => [methodOf(fields), statusOf(fields)];
  return [
    {
      name: 'access_log_requests_total',
      type: 'counter',
      help: 'Requests by method and status.',
      labelNames,
      bounds: undefined,
      update: (_, fields) => ({ labels: labels(fields), value: 1 }),
    },
    {
      name: 'access_log_response_bytes_total',
      type: 'counter',
      help: 'Bytes of the bodies of answers, by method and status.',
      labelNames,
      bounds: undefined,
      update: (_, fields) => ({ labels: labels(fields), value: numberOf(fields('body_bytes_sent')) ?? 0 }),
    },
    {
      name: 'access_log_request_duration_seconds',
      type: 'histogram',
      help: 'Time until requests were answered, where the log says it.',
      labelNames: ['method'],
      bounds: timerBounds,
      update: (_, fields) => {
        const value = secondsOf(fields);
        return value === undefined ? undefined : { labels: [methodOf(fields)], value };
      },
    },
  ];
}

function secondsOf(fields: Fields): number | undefined {
  const micros = numberOf(fields('request_time_us'));
  return micros === undefined ? numberOf(fields('request_time')) : micros / 1e6;
}

function methodOf(fields: Fields): string {
  const method = fields('method') ?? '';
  return methods.has(method) ? method : 'other';
}

function statusOf(fields: Fields): string {
  const status = fields('status') ?? '';
  return /^[1-5]\d\d$/.test(status) ? status : 'other';
}

const levels: Readonly<Record<string, string>> = {
  ...{ trace: 'trace', debug: 'debug', info: 'info', information: 'info', notice: 'info' },
  ...{ warn: 'warn', warning: 'warn', error: 'error', err: 'error', fatal: 'fatal', critical: 'fatal' },
  ...{ crit: 'fatal', panic: 'fatal', emergency: 'fatal', alert: 'fatal' },
  // The numbers of bunyan and pino.
  ...{ '10': 'trace', '20': 'debug', '30': 'info', '40': 'warn', '50': 'error', '60': 'fatal' },
};

function levelOf(fields: Fields): string {
  const level = fields('level') ?? fields('severity') ?? fields('lvl') ?? fields('log.level') ?? '';
  const known = level.toLowerCase();
  return Object.hasOwn(levels, known) ? (levels[known] ?? 'other') : 'other';
}
