/** A decoded body to an object of the kind the URL names: right type, known fields only, problems told as asked for. */

import type { KubernetesObject } from '@outrigger/core/api';
import { ApiError, checkStructure, kindOf, prune, typeErrors } from '@outrigger/core/api';
import type { Resource } from '../registry/resource.ts';
import type { Decoded } from './body.ts';
import type { FieldValidation } from './parameters.ts';

export interface Understood {
  /** What Warn only tells. */
  readonly warnings: readonly string[];
  /** The object, as a copy of its own each time: every try of a write changes the one it gets. */
  fresh(): KubernetesObject;
}

/** Throws 400. */
export function understand(resource: Resource, decoded: Decoded, validation: FieldValidation): Understood {
  const { kind, apiVersion } = resource;
  const value = asObject(resource, decoded.value);
  const structure = checkStructure(kind.schema, value);
  const wrong = typeErrors(structure);
  if (wrong.length > 0) throw ApiError.undecodable(kind, wrong);
  const problems = [
    ...decoded.duplicates.map((field) => `duplicate field ${JSON.stringify(field)}`),
    ...structure.unknown.map((field) => `unknown field ${JSON.stringify(field)}`),
  ];
  if (problems.length > 0 && validation === 'Strict') throw ApiError.strictDecoding(kind, problems);
  return {
    warnings: validation === 'Warn' ? problems : [],
    fresh: () => {
      const object = prune<unknown>(kind.schema, value) as KubernetesObject;
      object.apiVersion = apiVersion;
      object.kind = kind.kind;
      object.metadata ??= {};
      return object;
    },
  };
}

/** Puts the object into the namespace of the URL, or refuses one that says it belongs elsewhere. */
export function placeIn(resource: Resource, object: KubernetesObject, namespace: string): KubernetesObject {
  if (!resource.kind.namespaced) return object;
  const given = object.metadata.namespace;
  if (given !== undefined && given !== '' && given !== namespace) {
    throw ApiError.badRequest(
      `the namespace of the provided object does not match the namespace sent on the request`,
    );
  }
  object.metadata.namespace = namespace;
  return object;
}

/** An update's object must be the one the URL names. */
export function named(object: KubernetesObject, name: string): KubernetesObject {
  const given = object.metadata.name;
  if (given === undefined || given === '') object.metadata.name = name;
  else if (given !== name) {
    throw ApiError.badRequest(
      `the name of the object (${given}) does not match the name on the URL (${name})`,
    );
  }
  return object;
}

function asObject(resource: Resource, value: unknown): Record<string, unknown> {
  const { kind, apiVersion } = resource;
  const mustBe = `the object provided is unrecognized (must be of type ${kind.kind})`;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw ApiError.badRequest(`${mustBe}: it is not an object`);
  }
  const { apiVersion: givenVersion, kind: givenKind } = value as { apiVersion?: unknown; kind?: unknown };
  const says = { apiVersion: givenVersion ?? apiVersion, kind: givenKind ?? kind.kind };
  if (says.apiVersion !== apiVersion || says.kind !== kind.kind) {
    const known =
      typeof says.apiVersion === 'string' &&
      typeof says.kind === 'string' &&
      kindOf(says.apiVersion, says.kind) !== undefined;
    const what = `it says it is ${JSON.stringify(says.kind)} in version ${JSON.stringify(says.apiVersion)}`;
    throw ApiError.badRequest(`${mustBe}: ${what}${known ? '' : ', which this server does not know'}`);
  }
  return value as Record<string, unknown>;
}
