/** What other commands than INFO answer, as families; pure. Whatever does not have the shape it should is left out. */

import type { LabelPairs } from '@outrigger/core/exposition';
import type { FamilyBuilder } from '../sources/families.ts';
import { infoNumber } from './info.ts';
import { addNumber } from './sections.ts';
import type { Command } from './sections.ts';

const configMetrics: Readonly<Record<string, string>> = {
  maxmemory: 'redis_config_maxmemory',
  maxclients: 'redis_config_maxclients',
  'io-threads': 'redis_config_io_threads',
};
const limitBytes = {
  name: 'redis_config_client_output_buffer_limit_bytes',
  type: 'gauge',
  help: 'client-output-buffer-limit of the class.',
} as const;
const limitSeconds = {
  name: 'redis_config_client_output_buffer_limit_overcome_seconds',
  type: 'gauge',
  help: 'How long the soft client-output-buffer-limit of the class may be exceeded.',
} as const;

/** Directives that are asked for. */
export const askedConfig: readonly string[] = [
  ...Object.keys(configMetrics),
  'databases',
  'client-output-buffer-limit',
];

/** CONFIG GET: names and values by turns. */
export function addConfig(to: FamilyBuilder, answer: unknown): void {
  const values = configValues(answer);
  for (const [directive, name] of Object.entries(configMetrics)) {
    addNumber(to, { name, type: 'gauge', help: `${directive} of CONFIG.` }, values.get(directive));
  }
  const words = (values.get('client-output-buffer-limit') ?? '').split(' ');
  for (let at = 0; at + 3 < words.length; at += 4) {
    const [group = '', hard, soft, seconds] = words.slice(at, at + 4);
    const labels = (limit: string): LabelPairs => [
      ['class', group],
      ['limit', limit],
    ];
    addNumber(to, limitBytes, hard, labels('hard'));
    addNumber(to, limitBytes, soft, labels('soft'));
    addNumber(to, limitSeconds, seconds, labels('soft'));
  }
}

export function configValues(answer: unknown): ReadonlyMap<string, string> {
  const list = Array.isArray(answer) ? (answer as unknown[]) : [];
  const values = new Map<string, string>();
  for (let at = 0; at + 1 < list.length; at += 2) values.set(String(list[at]), String(list[at + 1]));
  return values;
}

const spikeLast = {
  name: 'redis_latency_spike_last',
  type: 'gauge',
  help: 'When the latest latency spike of the event was, in seconds since the epoch.',
} as const;
const spikeDuration = {
  name: 'redis_latency_spike_duration_seconds',
  type: 'gauge',
  help: 'How long the latest latency spike of the event was.',
} as const;

/** LATENCY LATEST: event, when, milliseconds, the longest ever. */
export function addLatest(to: FamilyBuilder, answer: unknown): void {
  if (!Array.isArray(answer)) return;
  for (const row of answer as unknown[]) {
    if (!Array.isArray(row) || row.length < 3) continue;
    const [event, at, milliseconds] = row as unknown[];
    addNumber(to, spikeLast, String(at), [['event_name', String(event)]]);
    addNumber(to, spikeDuration, String(milliseconds), [['event_name', String(event)]], 1e3);
  }
}

const latencies = {
  name: 'redis_commands_latencies_seconds',
  type: 'histogram',
  help: 'Time of the command, of LATENCY HISTOGRAM; the sum is that of commandstats.',
} as const;

/**
 * Every other of the upper bounds of LATENCY HISTOGRAM, in microseconds. It names only those reached so far; here all are
 * shown, because buckets that come and go make quantiles and rates over time wrong. All twenty would be most of the page,
 * and the percentiles are finer.
 */
const boundsUsec: readonly number[] = [1, 4, 16, 66, 264, 1056, 4227, 16908, 67633, 270532];
const boundTexts = boundsUsec.map((bound) => String(bound / 1e6));

/** LATENCY HISTOGRAM: command, [calls, N, histogram_usec, [bound, cumulative count, …]] by turns. */
export function addHistograms(
  to: FamilyBuilder,
  answer: unknown,
  commands: ReadonlyMap<string, Command>,
): void {
  if (!Array.isArray(answer)) return;
  const list = answer as unknown[];
  for (let at = 0; at + 1 < list.length; at += 2) {
    const facts = list[at + 1];
    if (Array.isArray(facts)) addHistogram(to, String(list[at]), facts as unknown[], commands);
  }
}

function addHistogram(
  to: FamilyBuilder,
  command: string,
  facts: readonly unknown[],
  commands: ReadonlyMap<string, Command>,
): void {
  const count = infoNumber(String(facts[facts.indexOf('calls') + 1]));
  const pairs = facts[facts.indexOf('histogram_usec') + 1];
  if (count === undefined || !Array.isArray(pairs)) return;
  const reached = pairs.map(Number);
  let at = 0;
  let below = 0;
  for (const [index, bound] of boundsUsec.entries()) {
    while (at + 1 < reached.length && (reached[at] ?? Infinity) <= bound) {
      below = Math.max(below, reached[at + 1] ?? 0);
      at += 2;
    }
    to.add(latencies, below, bucketLabels(command, boundTexts[index] ?? ''), '_bucket');
  }
  to.add(latencies, Math.max(below, count), bucketLabels(command, '+Inf'), '_bucket');
  const usec = infoNumber(commands.get(command)?.get('usec'));
  // In OpenMetrics there is no count without a sum.
  if (usec === undefined) return;
  to.add(latencies, usec / 1e6, [['cmd', command]], '_sum');
  to.add(latencies, Math.max(below, count), [['cmd', command]], '_count');
}

function bucketLabels(command: string, bound: string): LabelPairs {
  return [
    ['cmd', command],
    ['le', bound],
  ];
}

const slowLength = { name: 'redis_slowlog_length', type: 'gauge', help: 'Entries of the slow log.' } as const;
const slowLast = {
  name: 'redis_slowlog_last_id',
  type: 'gauge',
  help: 'Number of its latest entry.',
} as const;
const slowSeconds = {
  name: 'redis_last_slow_execution_duration_seconds',
  type: 'gauge',
  help: 'How long the latest command of the slow log took; 0 when there is none.',
} as const;

export function addSlowLength(to: FamilyBuilder, answer: unknown): void {
  addNumber(to, slowLength, String(answer));
}

/** SLOWLOG GET 1: [[id, when, microseconds, …]]. */
export function addSlowest(to: FamilyBuilder, answer: unknown): void {
  if (!Array.isArray(answer)) return;
  const entry: unknown = answer[0];
  const [id, , usec] = Array.isArray(entry) ? (entry as unknown[]) : [0, 0, 0];
  addNumber(to, slowLast, String(id));
  addNumber(to, slowSeconds, String(usec), [], 1e6);
}
