/** json_exporter's modules, read and compiled once: paths, labels, how a document is asked for. */

import { OutriggerError } from '@outrigger/core/errors';
import type { MetricType } from '@outrigger/core/exposition';
import type { OAuthSpec } from '../http/oauth.ts';
import type { HttpOptions } from '../http/options.ts';
import { compileJsonPath } from '../jsonpath/path.ts';
import type { JsonPath } from '../jsonpath/path.ts';
import { readBySchema } from '../sources/document.ts';
import { Problems } from '../sources/problems.ts';
import { clientOptions, inlineSecret, oauthOf } from './client.ts';
import { modulesSchema } from './schema.ts';
import type { MetricSpec, ModuleSpec } from './schema.ts';

export interface JsonMetric {
  readonly family: { readonly name: string; readonly type: MetricType; readonly help: string };
  /** Of type object: where the objects are; the value's path and the labels are then looked for in each. */
  readonly objects: JsonPath | undefined;
  readonly value: JsonPath;
  readonly labels: readonly (readonly [name: string, path: JsonPath])[];
  readonly mayBeMissing: boolean;
}

export interface JsonModule {
  readonly http: HttpOptions;
  /** How tokens are had, where `http` has no credentials. */
  readonly oauth: OAuthSpec | undefined;
  readonly body: string | undefined;
  readonly validStatus: ((status: number) => boolean) | undefined;
  readonly metrics: readonly JsonMetric[];
}

export type JsonModules = ReadonlyMap<string, JsonModule>;

/** A configuration file, `{modules: {…}}`. Throws InvalidConfig, or CONFIG_INVALID for what a path or the client says. */
export function readJsonModules(document: unknown): JsonModules {
  const { modules = {} } = readBySchema(modulesSchema, document);
  const problems = new Problems();
  const compiled = Object.entries(modules).flatMap(([name, module]): [string, JsonModule][] => {
    const where = `modules[${name}]`;
    const one = problems.attempt(where, () => compileModule(module, where, problems));
    return one === undefined ? [] : [[name, one]];
  });
  problems.refuse();
  return new Map(compiled);
}

/**
 * Modules that stand in an object of the API, which more people may read than those who may know its secrets: they name
 * files. Throws what readJsonModules throws.
 */
export function readModulesOfObject(modules: unknown): JsonModules {
  const spec = readBySchema(modulesSchema, { modules });
  for (const [name, module] of Object.entries(spec.modules ?? {})) {
    const field = inlineSecret(module.http_client_config);
    if (field === undefined) continue;
    const where = `modules[${name}].http_client_config.${field}`;
    throw invalid(
      where,
      'a secret may not stand in the document',
      `name a file: ${field}_file, or http of the source`,
    );
  }
  return readJsonModules({ modules });
}

function compileModule(spec: ModuleSpec, where: string, problems: Problems): JsonModule {
  const codes = spec.valid_status_codes ?? [];
  const http = clientOptions(spec.http_client_config, `${where}.http_client_config`);
  const headers = {
    accept: 'application/json',
    ...lowercased(http.headers),
    ...lowercased(spec.headers ?? {}),
  };
  const metrics = (spec.metrics ?? []).flatMap((metric, index) => {
    const at = `${where}.metrics[${index}]`;
    return problems.attempt(at, () => compileMetric(metric, at)) ?? [];
  });
  refuseTwoTypes(metrics, where);
  return {
    http: { ...http, headers },
    oauth: oauthOf(spec.http_client_config?.oauth2, `${where}.http_client_config.oauth2`),
    body: bodyOf(spec, where),
    validStatus: codes.length === 0 ? undefined : (status) => codes.includes(status),
    metrics,
  };
}

function lowercased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function compileMetric(spec: MetricSpec, where: string): JsonMetric[] {
  if (spec.engine === 'cel') {
    throw invalid(`${where}.engine`, 'CEL is not supported', 'write a path such as {.a.b} or $.a.b');
  }
  if (spec.name === '') throw invalid(`${where}.name`, 'a metric needs a name', 'give it one');
  const type = spec.valuetype === 'untyped' ? 'unknown' : spec.valuetype;
  const family = { name: spec.name, type, help: spec.help ?? spec.name } as const;
  const path = compileJsonPath(spec.path, `${where}.path`);
  if (path.isConstant)
    throw invalid(`${where}.path`, 'there is no path in it', 'write a path such as {.a.b}');
  const labels = Object.entries(spec.labels ?? {}).map(
    ([label, text]) => [label, compileJsonPath(text, `${where}.labels[${label}]`)] as const,
  );
  // Read although it is not used: a mistake in it should not wait for json_exporter to be found.
  if (spec.epochTimestamp !== undefined) compileJsonPath(spec.epochTimestamp, `${where}.epochTimestamp`);
  const rest = { labels, mayBeMissing: spec.allow_missing_key };
  if (spec.type === 'value') return [{ family, objects: undefined, value: path, ...rest }];
  return Object.entries(spec.values ?? {}).map(([end, text]) => ({
    family: { ...family, name: `${spec.name}_${end}` },
    objects: path,
    value: compileJsonPath(text, `${where}.values[${end}]`),
    ...rest,
  }));
}

/** Two types under one name would make a page that no Prometheus reads. */
function refuseTwoTypes(metrics: readonly JsonMetric[], where: string): void {
  const types = new Map<string, MetricType>();
  for (const { family } of metrics) {
    const other = types.get(family.name);
    if (other !== undefined && other !== family.type) {
      throw invalid(where, `the metric ${family.name} has two value types`, 'give it one valuetype');
    }
    types.set(family.name, family.type);
  }
}

function bodyOf({ body }: ModuleSpec, where: string): string | undefined {
  if (body?.content === undefined || body.content === '') return undefined;
  if (body.templatize && body.content.includes('{{')) {
    throw invalid(`${where}.body`, 'Go templates are not supported', 'write the text itself, without {{…}}');
  }
  return body.content;
}

function invalid(target: string, message: string, hint: string): OutriggerError {
  return new OutriggerError(`${target}: ${message}`, { code: 'CONFIG_INVALID', target, hint });
}
