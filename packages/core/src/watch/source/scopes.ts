/** Scopes: watching no more than the flags ask for. */

import type { Scope } from '../reflector/reflect.ts';

export interface ObjectRef {
  readonly namespace: string;
  readonly name: string;
}

/** Objects of one namespace watched by name, each a stream of its own; with more, the namespace is watched. */
const maxNamedWatches = 8;
/** Services of one namespace whose slices are asked for by name; with more, all slices of the namespace are. */
const maxNamesInSelector = 50;

/** `--namespace`: each of them, or all. */
export function scopesOfNamespaces(namespaces: readonly string[] = []): Scope[] {
  return namespaces.length === 0 ? [{}] : [...new Set(namespaces)].map((namespace) => ({ namespace }));
}

/** These objects and, when they are many, others of their namespaces: `project` sorts those out where it matters. */
export function scopesOfObjects(refs: readonly ObjectRef[]): Scope[] {
  return [...namesByNamespace(refs)].flatMap(([namespace, names]) =>
    names.length > maxNamedWatches
      ? [{ namespace }]
      : names.map((name) => ({ namespace, fieldSelector: `metadata.name=${name}` })),
  );
}

/** The EndpointSlices of these Services, one stream per namespace. */
export function scopesOfSlices(services: readonly ObjectRef[]): Scope[] {
  return [...namesByNamespace(services)].map(([namespace, names]) =>
    names.length > maxNamesInSelector ? { namespace } : { namespace, labelSelector: serviceSelector(names) },
  );
}

/** One text per scope, for maps and for the names of snapshot sections. */
export function scopeName({ namespace = '', fieldSelector = '', labelSelector = '' }: Scope): string {
  return [namespace, fieldSelector, labelSelector].join('|');
}

function serviceSelector(names: readonly string[]): string {
  const label = 'kubernetes.io/service-name';
  return names.length === 1 ? `${label}=${names[0]}` : `${label} in (${names.join(',')})`;
}

/** Sorted, so that the same Services are the same scope whatever the order of flags. */
function namesByNamespace(refs: readonly ObjectRef[]): Map<string, string[]> {
  const groups = new Map<string, Set<string>>();
  for (const { namespace, name } of refs) {
    const group = groups.get(namespace);
    if (group === undefined) groups.set(namespace, new Set([name]));
    else group.add(name);
  }
  return new Map([...groups].map(([namespace, names]) => [namespace, [...names].sort()]));
}
