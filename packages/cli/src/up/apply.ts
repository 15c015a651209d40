/** Manifests → the control service: created, or changed to what the file says. */

import { ApiError, apiVersionOf, kindOf } from '@outrigger/core/api';
import { InvalidConfig } from '@outrigger/core/config';
import type { Problem } from '@outrigger/core/config';
import { version } from '@outrigger/core/lifecycle';
import type { Deps } from '@outrigger/core/lifecycle';
import { createApiClient, resolveConnection, resourcePath } from '@outrigger/core/watch';
import type { ApiClient } from '@outrigger/core/watch';
import { problemsOf } from '../check/check.ts';
import { readManifests } from '../check/manifests.ts';

export interface AppliedObject {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

interface Writable {
  apiVersion: string;
  kind: string;
  metadata: { name?: string; namespace?: string };
  spec?: Record<string, unknown>;
}

/** All or, when one has a problem, none. Throws InvalidConfig with every problem. */
export async function applyManifests(
  paths: readonly string[],
  control: string,
  deps: Deps,
): Promise<AppliedObject[]> {
  const manifests = await readManifests(paths);
  const problems: Problem[] = manifests.flatMap((manifest) =>
    problemsOf(manifest).map((got) => ({ path: manifest.place, got, want: 'an object without problems' })),
  );
  if (problems.length > 0) throw new InvalidConfig(problems);
  const connection = await resolveConnection({ control: [control] }, deps);
  const client = createApiClient(connection, { userAgent: `outrigger-up/${version}` }, deps);
  try {
    const objects = manifests.map(({ value }) => value as Writable).sort(namespacesFirst);
    for (const object of objects) await apply(object, client);
    return objects.map(({ kind, metadata, spec }) => ({
      kind,
      namespace: metadata.namespace ?? 'default',
      name: metadata.name ?? '',
      spec: spec ?? {},
    }));
  } finally {
    await client.close();
  }
}

async function apply(object: Writable, client: ApiClient): Promise<void> {
  const kind = kindOf(object.apiVersion, object.kind);
  if (kind === undefined) throw new TypeError(`${object.kind} passed the check but is unknown`);
  const scope = kind.namespaced ? { namespace: object.metadata.namespace ?? 'default' } : {};
  const { name = '' } = object.metadata;
  try {
    await client.request({
      method: 'POST',
      path: resourcePath(kind, scope),
      body: { ...object, apiVersion: apiVersionOf(kind) },
    });
  } catch (error) {
    if (!(error instanceof ApiError) || error.toStatus().code !== 409) throw error;
    const path = resourcePath(kind, { ...scope, name });
    await client.request({
      method: 'PATCH',
      path,
      body: object,
      contentType: 'application/merge-patch+json',
    });
  }
}

function namespacesFirst(a: Writable, b: Writable): number {
  return Number(b.kind === 'Namespace') - Number(a.kind === 'Namespace');
}
