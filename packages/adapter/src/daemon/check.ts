/** What is wrong with a configuration beyond its structure, found without starting anything: all of it at once. */

import type { MetricsAdapterSpec, MetricsSource } from '@outrigger/core/api';
import { InvalidConfig } from '@outrigger/core/config';
import type { Problem } from '@outrigger/core/config';
import { describeError, OutriggerError } from '@outrigger/core/errors';
import { readJmxConfig } from '../jolokia/config.ts';
import { readJsonModules } from '../json/modules.ts';
import { isRecord } from '../jsonpath/record.ts';
import { compileRule } from '../logs/rules.ts';
import { readMapping } from '../mapping/read.ts';
import { AllowList } from '../page/allow.ts';
import { whereOf } from '../places/where.ts';
import { compileRelabel } from '../prometheus/relabel.ts';
import { addressOf } from './kinds.ts';

/** Of a document whose structure is right and whose defaults are filled in. */
export function adapterProblems(spec: MetricsAdapterSpec): Problem[] {
  const { probe, modules, mapping, sources = [], timerBuckets } = spec;
  const read = mapping === undefined ? undefined : readMapping(mapping, timerBuckets);
  const mapped = read !== undefined && 'problems' in read ? read.problems : [];
  return [
    ...tried('probe.allow', () => new AllowList(probe.allow)),
    ...(modules === undefined ? [] : tried('modules', () => readJsonModules({ modules }))),
    ...mapped.map((problem) => ({ ...problem, path: `mapping.${problem.path}` })),
    ...(spec.otlp.endpoint === undefined
      ? []
      : tried('otlp.endpoint', () => httpUrl(spec.otlp.endpoint ?? ''))),
    ...sources.flatMap((source, index) => sourceProblems(source, `sources[${index}]`, timerBuckets)),
  ];
}

function sourceProblems(source: MetricsSource, path: string, bounds: readonly number[]): Problem[] {
  const { relabel = [], log, jolokia } = source;
  const address = addressOf(source);
  return [
    ...relabel.flatMap((rule, index) => tried(`${path}.relabel[${index}]`, () => compileRelabel([rule]))),
    ...(log?.rules ?? []).flatMap((rule, index) =>
      tried(`${path}.log.rules[${index}]`, () => compileRule(rule, bounds)),
    ),
    ...(isRecord(jolokia?.rules) ? tried(`${path}.jolokia.rules`, () => readJmxConfig(jolokia.rules)) : []),
    ...(address === '' ? [] : tried(path, () => whereOf(address))),
  ];
}

function httpUrl(text: string): void {
  if (/^https?:$/.test(URL.parse(text)?.protocol ?? '')) return;
  throw new OutriggerError(`${JSON.stringify(text)} is no http(s) URL`, {
    code: 'CONFIG_INVALID',
    hint: 'such as http://127.0.0.1:4318',
  });
}

function tried(path: string, run: () => unknown): Problem[] {
  try {
    run();
    return [];
  } catch (error) {
    if (error instanceof InvalidConfig)
      return error.problems.map((problem) => ({ ...problem, path: `${path}.${problem.path}` }));
    if (!(error instanceof OutriggerError)) throw error;
    return [{ path, got: error.message, want: error.hint ?? describeError(error) }];
  }
}
