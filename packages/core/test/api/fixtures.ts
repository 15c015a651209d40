/** What the tests of the API share: objects to vary, and problems as short lines. */

import type { FieldError, Kind, KubernetesObject, ValidationOptions } from '@outrigger/core/api';
import { applyDefaults, prune, validateObject } from '@outrigger/core/api';

export type Loose = Record<string, unknown>;

/** The way in of a write: pruned, defaulted, validated. */
export function admitted<T extends KubernetesObject>(kind: Kind<T>, value: Loose): T {
  const object = prune(kind.schema, value) as unknown as T;
  applyDefaults(kind, object);
  return object;
}

/** All problems of an object as `Reason field: message`, without the part of the reason they all share. */
export function problems<T extends KubernetesObject>(
  kind: Kind<T>,
  value: Loose,
  old?: Loose,
  options: ValidationOptions = {},
): string[] {
  const before = old === undefined ? undefined : admitted(kind, old);
  return validateObject(kind, admitted(kind, value), before, options).map(line);
}

export function line({ reason, field, message }: FieldError): string {
  return `${reason.replace('FieldValue', '')} ${field}: ${message}`;
}

/** `Reason field` alone, for tables where the wording is tested elsewhere. */
export function where(lines: readonly string[]): string[] {
  return lines.map((text) => text.slice(0, text.indexOf(': ')));
}

/** An object of any kind named `web` in namespace `default`. */
export function named(fields: Loose, metadata: Loose = {}): Loose {
  return { metadata: { name: 'web', namespace: 'default', ...metadata }, ...fields };
}

/** A valid Service with one port; `spec` fields are added or replaced. */
export function service(spec: Loose = {}, metadata: Loose = {}): Loose {
  return named({ spec: { selector: { app: 'web' }, ports: [{ port: 80 }], ...spec } }, metadata);
}

/** A valid slice with one endpoint. */
export function slice(fields: Loose = {}): Loose {
  return named({
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.0.0.1'] }],
    ports: [{ name: 'http', port: 8080 }],
    ...fields,
  });
}

/** A valid pod with one container. */
export function pod(spec: Loose = {}, container: Loose = {}): Loose {
  return named({ spec: { containers: [{ name: 'app', image: 'web:1', ...container }], ...spec } });
}

export function policy(spec: Loose = {}): Loose {
  return named({ spec: { targetRefs: [{ name: 'web' }], ...spec } });
}
