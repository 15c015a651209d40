/** What is wrong with a configuration beyond its structure, found without starting anything: all of it at once. */

import type { MetricsAdapterSpec, MetricsSource, SourceHttp } from '@outrigger/core/api';
import type { Problem } from '@outrigger/core/config';
import { OutriggerError } from '@outrigger/core/errors';
import { httpOptions, secretFrom } from '../http/options.ts';
import { urlAt } from '../http/place.ts';
import { readJmxConfig } from '../jolokia/config.ts';
import { readModulesOfObject } from '../json/modules.ts';
import { isRecord } from '../jsonpath/record.ts';
import { compileRule } from '../logs/rules.ts';
import { readMapping } from '../mapping/read.ts';
import { AllowList } from '../page/allow.ts';
import { whereOf } from '../places/where.ts';
import { compileRelabel } from '../prometheus/relabel.ts';
import { podSource } from '../pod/source.ts';
import { redisServerAt } from '../redis/server.ts';
import { problemsOf } from '../sources/problems.ts';
import { addressOf, kindOf } from './kinds.ts';

/** Of a document whose structure is right and whose defaults are filled in. */
export function adapterProblems(spec: MetricsAdapterSpec): Problem[] {
  const { probe, modules, mapping, sources = [], timerBuckets } = spec;
  const read = mapping === undefined ? undefined : readMapping(mapping, timerBuckets);
  const mapped = read !== undefined && 'problems' in read ? read.problems : [];
  return [
    ...tried('probe.allow', () => new AllowList(probe.allow)),
    ...(modules === undefined ? [] : tried('modules', () => readModulesOfObject(modules))),
    ...mapped.map((problem) => ({ ...problem, path: `mapping.${problem.path}` })),
    ...(spec.otlp.endpoint === undefined
      ? []
      : tried('otlp.endpoint', () => httpUrl(spec.otlp.endpoint ?? ''))),
    ...sources.flatMap((source, index) => sourceProblems(source, `sources[${index}]`, timerBuckets)),
  ];
}

function sourceProblems(source: MetricsSource, path: string, bounds: readonly number[]): Problem[] {
  const { relabel = [], log, jolokia, redis, pod } = source;
  const kind = kindOf(source);
  const { http } = (source[kind] ?? {}) as { http?: SourceHttp };
  const address = addressOf(source);
  return [
    ...relabel.flatMap((rule, index) => tried(`${path}.relabel[${index}]`, () => compileRelabel([rule]))),
    ...(log?.rules ?? []).flatMap((rule, index) =>
      tried(`${path}.log.rules[${index}]`, () => compileRule(rule, bounds)),
    ),
    ...(isRecord(jolokia?.rules) ? tried(`${path}.jolokia.rules`, () => readJmxConfig(jolokia.rules)) : []),
    ...(address === '' ? [] : tried(`${path}.${kind}`, () => checkAddress(source, address))),
    ...(http === undefined ? [] : tried(`${path}.${kind}.http`, () => httpOptions(http))),
    ...(redis?.passwordFrom === undefined
      ? []
      : tried(`${path}.redis.passwordFrom`, () => secretFrom(redis.passwordFrom ?? {}))),
    ...(pod === undefined ? [] : tried(`${path}.pod`, () => podSource(pod))),
  ];
}

/** As it will be asked, with an endpoint in the place of a Service. */
function checkAddress({ redis }: MetricsSource, address: string): void {
  const where = whereOf(address);
  const endpoint = { address: '127.0.0.1', port: 1, ready: true, namespace: '' };
  const place = where.kind === 'place' ? where.place : where.placeOf(endpoint);
  if (redis === undefined) urlAt(place);
  else redisServerAt(place);
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
    return problemsOf(path, error);
  }
}
