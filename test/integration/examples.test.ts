/** The files of examples/ are what the programs take: manifests pass `check`, documents and arguments are accepted, `up` runs one. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { adapterDaemon } from '@outrigger/adapter';
import { ambassadorDaemon } from '@outrigger/ambassador';
import { kindOf } from '@outrigger/core/api';
import { loadConfig, parseDocument, processFields } from '@outrigger/core/config';
import type { DaemonDefinition } from '@outrigger/core/lifecycle';
import { proxyDaemon } from '@outrigger/proxy';
import { test } from 'tap';
import { parseAllDocuments } from 'yaml';
import { root } from '../../scripts/setup/paths.mjs';
import { files } from '../rules/tree.ts';
import { needs, startProcess } from '../harness/index.ts';

const command = ['--conditions=@outrigger/source', join(root, 'packages/cli/src/main.ts')] as const;

interface Document {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly template?: { readonly spec?: { readonly initContainers?: readonly Container[] } };
  };
}
interface Container {
  readonly name: string;
  readonly args: readonly string[];
}

interface Pod {
  readonly spec: {
    readonly securityContext: object;
    readonly initContainers: readonly [Container];
  };
}

const manifests = files('.yaml').filter(({ path }) => path.startsWith('examples/'));

function documentsOf(text: string): Document[] {
  return parseAllDocuments(text).map((document) => document.toJS() as Document);
}

test('manifests of our kinds pass the check', async (t) => {
  const ours = manifests.filter(({ text }) =>
    documentsOf(text).every(({ apiVersion = '', kind = '' }) => kindOf(apiVersion, kind) !== undefined),
  );
  t.ok(ours.length >= 3, 'there are some');
  const paths = ours.map(({ path }) => join(root, path));
  const check = await startProcess(t, process.execPath, [...command, 'check', ...paths]);
  const { code } = await check.exited;
  t.equal(code, 0, check.stdout);
});

test('configuration files are accepted by the daemons they are for', async (t) => {
  await accepts(ambassadorDaemon, textOf('examples/redis-ambassador/ambassador.yaml'));
  await accepts(ambassadorDaemon, textOf('examples/redis-failover/ambassador.yaml'));
  const [beside] = documentsOf(textOf('examples/redis-failover/pod.yaml'));
  await accepts(ambassadorDaemon, beside?.data?.['ambassador.yaml'] ?? '');
  await accepts(adapterDaemon, textOf('examples/statsd-to-prometheus/adapter.yaml'));
  await accepts(adapterDaemon, textOf('examples/metrics-adapter/adapter.yaml'));
  const [besideShop] = documentsOf(textOf('examples/metrics-adapter/pod.yaml'));
  await accepts(adapterDaemon, besideShop?.data?.['adapter.yaml'] ?? '');
  const data = documentsOf(textOf('examples/sidecar/config.yaml'))[0]?.data ?? {};
  await accepts(ambassadorDaemon, data['ambassador.yaml'] ?? '');
  await accepts(adapterDaemon, data['adapter.yaml'] ?? '');
  t.pass('none refused');
});

async function accepts<C>(definition: DaemonDefinition<C>, text: string): Promise<void> {
  const { schema, checks, parse } = definition;
  const document = await parseDocument(text, 'example');
  parse(
    loadConfig({ schema, checks, args: [], environment: {}, source: { name: 'example', document } }).values,
  );
}

test('the arguments of the sidecars are accepted', (t) => {
  const definitions = { proxy: proxyDaemon, ambassador: ambassadorDaemon, adapter: adapterDaemon };
  const [deployment] = documentsOf(textOf('examples/sidecar/deployment.yaml'));
  const sidecars = deployment?.spec?.template?.spec?.initContainers ?? [];
  t.same(
    sidecars.map(({ name }) => name),
    Object.keys(definitions),
  );
  for (const { name, args } of sidecars) {
    const { schema, checks } = definitions[name as keyof typeof definitions];
    const all = { ...schema, fields: { ...processFields, ...schema.fields } };
    t.equal(args[0], name);
    t.doesNotThrow(() => loadConfig({ schema: all, checks, args: args.slice(1), environment: {} }), name);
  }
  t.end();
});

for (const { example, name, admin, port } of [
  { example: 'redis-failover', name: 'ambassador', admin: ':9121', port: 9121 },
  { example: 'metrics-adapter', name: 'adapter', admin: undefined, port: 9103 },
] as const) {
  test(`the ${name} of the pod is a sidecar that may do no more than it needs`, (t) => {
    const [, pod] = documentsOf(textOf(`examples/${example}/pod.yaml`)) as [unknown, Pod];
    const { securityContext, initContainers } = pod.spec;
    const [sidecar] = initContainers;
    t.match(securityContext, { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    t.match(sidecar, {
      name,
      restartPolicy: 'Always',
      securityContext: {
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      },
      startupProbe: { httpGet: { path: '/readyz', port } },
      livenessProbe: { httpGet: { path: '/livez', port } },
    });
    const { schema, checks } = name === 'adapter' ? adapterDaemon : ambassadorDaemon;
    const all = { ...schema, fields: { ...processFields, ...schema.fields } };
    const flags = sidecar.args.slice(1).filter((flag) => !flag.startsWith('--config='));
    const { values } = loadConfig({ schema: all, checks, args: flags, environment: {} });
    if (admin !== undefined) t.equal(values['admin'], admin, 'where the kubelet probes it');
    t.end();
  });
}

test('the app does not notice a failover', needs('redis-server'), async (t) => {
  const script = join(root, 'examples/redis-failover/failover.mjs');
  const show = await startProcess(t, process.execPath, [script, process.execPath, ...command]);
  const { code } = await show.exited;
  t.equal(code, 0, show.stdout + show.stderr);
  t.match(show.stdout, /reads +\d+ answered, 0 failed/);
  t.match(show.stdout, /lost +0 of \d+ acknowledged writes/);
});

test('up runs the localhost proxy', async (t) => {
  const any = '127.0.0.1:0';
  const up = await startProcess(
    t,
    process.execPath,
    [
      ...command,
      ...['up', '--memory', '--listen', any, '--admin', any, '--publish', `default/web:http=${any}`],
      ...['-f', join(root, 'examples/localhost-proxy')],
    ],
    { ready: /"msg":"ready"/ },
  );
  const line = up.stdout.split('\n').find((one) => one.includes('"msg":"ready"')) ?? '';
  const { addresses } = JSON.parse(line) as { addresses: Record<string, string> };
  const answer = await fetch(`http://${addresses['proxy/admin']}/debug/why?service=default/web`);
  const { ports } = (await answer.json()) as { ports: { why: string[]; endpoints: { status: string }[] }[] };
  t.same(
    ports.flatMap(({ endpoints }) => endpoints.map(({ status }) => status)),
    ['used', 'used'],
    'both endpoints of the slice are balanced over',
  );
  t.match(ports[0]?.why.join(), /roundRobin/, 'as the policy asks');
  t.equal((await up.stop()).code, 0);
});

function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
