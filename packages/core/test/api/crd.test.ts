import { readFileSync } from 'node:fs';
import { customResourceDefinition, redisAmbassadorKind, trafficPolicyKind } from '@outrigger/core/api';
import { test } from 'tap';
import { folder, manifests } from './crd-manifests.ts';

type Tree = Record<string, unknown>;

test('the shipped manifests are those of the schemas', (t) => {
  for (const { file, text } of manifests()) {
    const shipped = readFileSync(new URL(file, folder), 'utf8');
    t.equal(shipped, text, `examples/crds/${file}: if not, run packages/core/test/api/write-crds.ts`);
  }
  t.equal(manifests().length, 3);
  t.end();
});

test('a CRD names the kind in all its forms', (t) => {
  t.match(customResourceDefinition(trafficPolicyKind), {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'trafficpolicies.outrigger.dev' },
    spec: {
      group: 'outrigger.dev',
      scope: 'Namespaced',
      names: {
        kind: 'TrafficPolicy',
        listKind: 'TrafficPolicyList',
        plural: 'trafficpolicies',
        singular: 'trafficpolicy',
        shortNames: ['tp'],
      },
      versions: [{ name: 'v1alpha1', served: true, storage: true, subresources: { status: {} } }],
    },
  });
  t.end();
});

test('printer columns are those that have a path, then Age', (t) => {
  const spec = customResourceDefinition(redisAmbassadorKind)['spec'] as { versions: Tree[] };
  const columns = spec.versions[0]?.['additionalPrinterColumns'] as { name: string; jsonPath: string }[];
  t.same(
    columns.map(({ name, jsonPath }) => `${name} ${jsonPath}`),
    [
      'Listen .spec.listen',
      'Primary .spec.primary',
      'Read-Policy .spec.readPolicy',
      'Age .metadata.creationTimestamp',
    ],
  );
  t.end();
});

test('the schema is structural: every node has a type, and defaults are complete', (t) => {
  for (const kind of [trafficPolicyKind, redisAmbassadorKind]) {
    const spec = customResourceDefinition(kind)['spec'] as {
      versions: { schema: { openAPIV3Schema: Tree } }[];
    };
    const root = spec.versions[0]?.schema.openAPIV3Schema ?? {};
    for (const [path, node] of nodes(root, kind.kind)) {
      t.type(node['type'], 'string', `${path} has a type`);
      t.notOk(
        Object.keys(node).some((name) => name.startsWith('x-kubernetes-patch')),
        `${path} has no merge key`,
      );
    }
    t.same((root['properties'] as Tree)['metadata'], { type: 'object' });
  }
  t.end();
});

function nodes(node: Tree, path: string): [string, Tree][] {
  const properties = Object.entries((node['properties'] ?? {}) as Record<string, Tree>);
  const inner = [node['items'], node['additionalProperties']].filter(
    (child) => child !== undefined,
  ) as Tree[];
  return [
    [path, node],
    ...properties.flatMap(([name, child]) => nodes(child, `${path}.${name}`)),
    ...inner.flatMap((child) => nodes(child, `${path}[]`)),
  ];
}
