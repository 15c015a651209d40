/** `outrigger check FILE …`: every problem of any configuration or manifest, without a server. */

import {
  applyDefaults,
  checkStructure,
  kindOf,
  kinds,
  metricsAdapterKind,
  validateObject,
} from '@outrigger/core/api';
import type { FieldError, KubernetesObject, MetricsAdapter } from '@outrigger/core/api';
import { describeProblem, InvalidConfig } from '@outrigger/core/config';
import { readManifests } from './manifests.ts';
import type { Manifest } from './manifests.ts';

const usage = `usage: outrigger check FILE|FOLDER …

Reads manifests (objects with apiVersion, kind and spec), documents of an adapter, statsd_exporter's mappings,
json_exporter's modules, jmx_exporter's rules and the exporters' web configurations, and tells every problem.
Exit code 0: nothing wrong; 2: at least one problem.
`;

export async function check(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(usage);
    return 0;
  }
  const flags = args.filter((arg) => arg.startsWith('-'));
  if (flags.length > 0 || args.length === 0) {
    throw new InvalidConfig([
      {
        path: flags[0] ?? 'FILE',
        got: flags.length > 0 ? 'a flag' : 'nothing',
        want: 'files or folders to check',
      },
    ]);
  }
  const manifests = await readManifests(args);
  let problems = 0;
  for (const manifest of manifests) {
    const foreign = await findingsOfDocument(manifest);
    for (const { field, text } of foreign ?? [
      ...findingsOf(manifest),
      ...(await findingsOfAdapter(manifest)),
    ]) {
      problems += 1;
      process.stdout.write(`${manifest.placeOf(field)}: ${text}\n`);
    }
  }
  const objects = `${manifests.length} object${manifests.length === 1 ? '' : 's'}`;
  process.stdout.write(
    problems === 0
      ? `${objects}, nothing wrong\n`
      : `${objects}, ${problems} problem${problems === 1 ? '' : 's'}\n`,
  );
  return problems === 0 ? 0 : 2;
}

/** What is wrong, and with which field; '' for the whole. */
interface Finding {
  readonly field: string;
  readonly text: string;
}

/** Undefined: the document is none of those without a kind. */
async function findingsOfDocument({ value, errors }: Manifest): Promise<Finding[] | undefined> {
  if (errors.length > 0) return undefined;
  const { documentProblems } = await import('@outrigger/adapter');
  return documentProblems(value)?.map((problem) => ({ field: problem.path, text: describeProblem(problem) }));
}

/** What a MetricsAdapter of the right structure says that cannot be: expressions, rules, networks. */
async function findingsOfAdapter(manifest: Manifest): Promise<Finding[]> {
  const { value } = manifest;
  if (!isMetricsAdapter(value) || findingsOf(manifest).length > 0) return [];
  const object = structuredClone(value) as MetricsAdapter;
  applyDefaults(metricsAdapterKind, object);
  const { adapterProblems } = await import('@outrigger/adapter');
  return adapterProblems(object.spec).map((problem) => {
    const path = `spec.${problem.path}`;
    return { field: path, text: describeProblem({ ...problem, path }) };
  });
}

function isMetricsAdapter(value: unknown): boolean {
  const { group, version, kind } = metricsAdapterKind;
  const named = value as { apiVersion?: unknown; kind?: unknown } | null;
  return named?.apiVersion === `${group}/${version}` && named.kind === kind;
}

/** Loopback endpoints are allowed here: whether a server takes them is a switch of the server. */
export function problemsOf(manifest: Manifest): string[] {
  return findingsOf(manifest).map(({ text }) => text);
}

function findingsOf(manifest: Manifest): Finding[] {
  const ofWhole = (text: string): Finding => ({ field: '', text });
  if (manifest.errors.length > 0) return manifest.errors.map(ofWhole);
  const { value } = manifest;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [ofWhole('not an object with apiVersion and kind')];
  const { apiVersion, kind: name } = value as { apiVersion?: unknown; kind?: unknown };
  if (typeof apiVersion !== 'string' || typeof name !== 'string') {
    return [
      ofWhole(
        'apiVersion and kind are missing: want for example apiVersion: outrigger.dev/v1alpha1, kind: TrafficPolicy',
      ),
    ];
  }
  const kind = kindOf(apiVersion, name);
  if (kind === undefined) {
    const known = kinds
      .map((one) => one.kind)
      .sort()
      .join(', ');
    return [ofWhole(`${apiVersion} ${name} is not a kind Outrigger knows; it knows ${known}`)];
  }
  const { errors, unknown } = checkStructure(kind.schema, value);
  const found = [
    ...errors.map(ofField),
    ...unknown.map((path) => ({ field: path, text: `unknown field ${JSON.stringify(path)}` })),
  ];
  if (errors.length > 0) return found;
  const object = structuredClone(value) as KubernetesObject;
  object.metadata ??= {};
  if (kind.namespaced) object.metadata.namespace ??= 'default';
  applyDefaults(kind, object);
  const rules = validateObject(kind, object, undefined, { allowLoopbackEndpoints: true });
  return [...found, ...rules.map(ofField)];
}

function ofField({ field, message }: FieldError): Finding {
  return { field, text: `${field}: ${message}` };
}
