/** Files without a kind that belong to an adapter, told apart by their fields: what is wrong with each. */

import { applySchemaDefaults, checkStructure, validateMetricsAdapterSpec } from '@outrigger/core/api';
import type { FieldError, MetricsAdapterSpec, ObjectSchema } from '@outrigger/core/api';
import { processFields } from '@outrigger/core/config';
import type { Problem } from '@outrigger/core/config';
import { readJmxConfig } from '../jolokia/config.ts';
import { readJsonModules } from '../json/modules.ts';
import { isRecord } from '../jsonpath/record.ts';
import { mappingProblems } from '../mapping/read.ts';
import { webConfigProblems } from '../page/web-config.ts';
import { problemsOf } from '../sources/problems.ts';
import { adapterProblems } from './check.ts';
import { adapterSchema } from './config.ts';

/** Fields that no other daemon's document has. */
const adapterFields = [
  ...['sources', 'statsdUdp', 'statsdTcp', 'statsdUnix', 'statsdMapping', 'mapping', 'statsd', 'jsonModules'],
  ...['modules', 'probe', 'webConfig', 'otlp', 'timerBuckets', 'maxSeries'],
];
const jmxFields = [
  ...[
    'rules',
    'lowercaseOutputName',
    'lowercaseOutputLabelNames',
    'includeObjectNames',
    'excludeObjectNames',
  ],
  ...['whitelistObjectNames', 'blacklistObjectNames', 'startDelaySeconds', 'includeObjectNameAttributes'],
  ...['excludeObjectNameAttributes', 'hostPort', 'jmxUrl'],
];

/**
 * For `outrigger check`: every problem of a statsd_exporter's mapping, a web configuration, json_exporter's modules,
 * jmx_exporter's rules or an adapter's own document; undefined where the value is none of them.
 */
export function documentProblems(value: unknown): readonly Problem[] | undefined {
  if (!isRecord(value) || 'kind' in value || 'apiVersion' in value) return undefined;
  const known = mappingProblems(value) ?? webConfigProblems(value);
  if (known !== undefined) return known;
  const names = Object.keys(value);
  if (names.length === 1 && names[0] === 'modules') return tried(() => readJsonModules(value));
  if (names.some((name) => adapterFields.includes(name))) return ownProblems(value);
  return names.some((name) => jmxFields.includes(name)) ? tried(() => readJmxConfig(value)) : undefined;
}

function ownProblems(value: Readonly<Record<string, unknown>>): Problem[] {
  const schema: ObjectSchema = { ...adapterSchema, fields: { ...processFields, ...adapterSchema.fields } };
  const document = structuredClone(value);
  applySchemaDefaults(schema, document);
  const { errors, unknown } = checkStructure(schema, document);
  const found = [
    ...errors.map(problemOfField),
    ...unknown.map((path) => ({
      path: path.replace(/^\./, ''),
      got: 'an unknown field',
      want: 'none of that name',
    })),
  ];
  if (found.length > 0) return found;
  const spec = document as unknown as MetricsAdapterSpec;
  const rules = validateMetricsAdapterSpec(spec, '').map(problemOfField);
  return rules.length > 0 ? rules : adapterProblems(spec);
}

function problemOfField({ field, message }: FieldError): Problem {
  return { path: field.replace(/^\./, ''), got: message, want: 'a valid value' };
}

function tried(read: () => unknown): Problem[] {
  try {
    read();
    return [];
  } catch (error) {
    return problemsOf('', error);
  }
}
