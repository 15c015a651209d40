/** Kind → CustomResourceDefinition: how a real cluster learns Outrigger's own kinds. */

import type { OpenAPISchema } from './openapi.ts';
import { toOpenAPI } from './openapi.ts';
import type { Kind } from './schema.ts';

export function customResourceDefinition(kind: Kind): OpenAPISchema {
  const { group, resource, singular, shortNames, categories } = kind;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${resource}.${group}` },
    spec: {
      group,
      scope: kind.namespaced ? 'Namespaced' : 'Cluster',
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: resource,
        singular,
        shortNames,
        categories,
      },
      versions: [
        {
          name: kind.version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: wholeSchema(kind) },
          ...(kind.hasStatus ? { subresources: { status: {} } } : {}),
          additionalPrinterColumns: printerColumns(kind),
        },
      ],
    },
  };
}

/** The server owns metadata and adds its own rules for it. */
function wholeSchema(kind: Kind): OpenAPISchema {
  const whole = toOpenAPI(kind.schema, 'crd');
  const properties = whole['properties'] as OpenAPISchema;
  return { ...whole, properties: { ...properties, metadata: { type: 'object' } } };
}

function printerColumns(kind: Kind): OpenAPISchema[] {
  const own = kind.columns.flatMap(({ name, type, description, priority, jsonPath }) =>
    jsonPath === undefined ? [] : [{ name, type, description, priority, jsonPath }],
  );
  const age = {
    name: 'Age',
    type: 'date',
    description: 'Time since creation',
    jsonPath: '.metadata.creationTimestamp',
  };
  return [...own, age];
}
