/** The OpenAPI v3 document of one group version: its paths and the schemas of its kinds. Pure. */

import type { Schema } from '@outrigger/core/api';
import { version } from '@outrigger/core/lifecycle';
import type { GroupVersion } from '../discovery/catalog.ts';
import { subresourcesOf } from '../discovery/catalog.ts';
import { patchTypes } from '../handlers/patch-types.ts';
import { hasVerb } from '../handlers/resources.ts';
import type { Resource } from '../registry/resource.ts';
import { openApiSchema } from './schema.ts';
import type { OpenApiSchema } from './schema.ts';

const metaPrefix = 'io.k8s.apimachinery.pkg.apis.meta.v1.';
const intOrStringName = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';
const schemasPath = '#/components/schemas/';

export function openApiDocument(groupVersion: GroupVersion): object {
  const paths = groupVersion.resources.flatMap((resource) => pathsOf(groupVersion, resource));
  const schemas: Record<string, OpenApiSchema> = {};
  for (const resource of groupVersion.resources) addSchemas(resource, schemas);
  return {
    openapi: '3.0.0',
    info: { title: 'Outrigger', version: `v${version}` },
    paths: Object.fromEntries(paths),
    components: { schemas },
  };
}

function addSchemas(resource: Resource, schemas: Record<string, OpenApiSchema>): void {
  const { kind } = resource;
  const { metadata } = kind.schema.fields as { metadata: Schema };
  const refer = (schema: Schema): string | undefined => {
    if (schema === metadata) return `${schemasPath}${metaPrefix}ObjectMeta`;
    return schema.type === 'intOrString' ? schemasPath + intOrStringName : undefined;
  };
  schemas[`${metaPrefix}ObjectMeta`] ??= openApiSchema(metadata, () => undefined);
  schemas[intOrStringName] ??= { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] };
  schemas[schemaName(resource)] = {
    ...openApiSchema(kind.schema, refer),
    'x-kubernetes-group-version-kind': [gvk(resource)],
  };
  schemas[`${schemaName(resource)}List`] = listSchema(resource);
}

function listSchema(resource: Resource): OpenApiSchema {
  const { kind, version: ownVersion, group } = resource.kind;
  return {
    description: `A list of ${kind} objects`,
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      items: { type: 'array', items: { $ref: schemasPath + schemaName(resource) } },
    },
    'x-kubernetes-group-version-kind': [{ group, version: ownVersion, kind: `${kind}List` }],
  };
}

/** `io.k8s.api.core.v1.Service`; groups with a domain are named from its end, as package names are. */
function schemaName({ kind }: Resource): string {
  const { group, version: ownVersion, kind: name } = kind;
  if (group === '' || group.endsWith('.k8s.io')) {
    return `io.k8s.api.${group === '' ? 'core' : group.slice(0, -'.k8s.io'.length)}.${ownVersion}.${name}`;
  }
  return `${group.split('.').toReversed().join('.')}.${ownVersion}.${name}`;
}

function gvk({ kind }: Resource): object {
  return { group: kind.group, version: kind.version, kind: kind.kind };
}

function pathsOf(groupVersion: GroupVersion, resource: Resource): [string, object][] {
  const { namespaced, resource: plural } = resource.kind;
  const base = namespaced
    ? `${groupVersion.path}/namespaces/{namespace}/${plural}`
    : `${groupVersion.path}/${plural}`;
  const place = namespaced ? [pathParameter('namespace')] : [];
  const one = { ...objectOperations(resource), parameters: [pathParameter('name'), ...place] };
  const paths: [string, object][] = [
    [base, { ...collectionOperations(resource), parameters: place }],
    [`${base}/{name}`, one],
  ];
  if (namespaced) paths.push([`${groupVersion.path}/${plural}`, { get: operation(resource, 'list', 'get') }]);
  for (const subresource of subresourcesOf(resource)) {
    const { get, put, patch, parameters } = one;
    paths.push([`${base}/{name}/${subresource}`, { get, put, patch, parameters }]);
  }
  return paths;
}

function collectionOperations(resource: Resource): object {
  return {
    get: operation(resource, 'list', 'get'),
    post: operation(resource, 'post', 'post', {
      body: ['*/*'],
      parameters: ['dryRun', 'fieldManager', 'fieldValidation'],
    }),
    ...(hasVerb(resource, 'deletecollection')
      ? { delete: operation(resource, 'deletecollection', 'delete', { parameters: ['dryRun'] }) }
      : {}),
  };
}

function objectOperations(resource: Resource): { get: object; put: object; patch: object; delete: object } {
  const write = ['dryRun', 'fieldManager', 'fieldValidation'];
  return {
    get: operation(resource, 'get', 'get'),
    put: operation(resource, 'put', 'put', { body: ['*/*'], parameters: write }),
    patch: operation(resource, 'patch', 'patch', {
      body: patchTypes(resource),
      parameters: [...write, 'force'],
    }),
    delete: operation(resource, 'delete', 'delete', { parameters: ['dryRun'] }),
  };
}

function operation(
  resource: Resource,
  action: string,
  method: string,
  {
    body,
    parameters = [],
  }: { readonly body?: readonly string[]; readonly parameters?: readonly string[] } = {},
): object {
  const schema = { $ref: schemasPath + schemaName(resource) + (action === 'list' ? 'List' : '') };
  const content = Object.fromEntries(
    (body ?? []).map((type) => [type, { schema: method === 'patch' ? {} : schema }]),
  );
  return {
    description: `${action} ${resource.kind.kind}`,
    parameters: parameters.map(queryParameter),
    ...(body === undefined ? {} : { requestBody: { content } }),
    responses: { 200: { description: 'OK', content: { 'application/json': { schema } } } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvk(resource),
  };
}

function queryParameter(name: string): object {
  return { name, in: 'query', schema: { type: name === 'force' ? 'boolean' : 'string', uniqueItems: true } };
}

function pathParameter(name: string): object {
  return { name, in: 'path', required: true, schema: { type: 'string', uniqueItems: true } };
}
