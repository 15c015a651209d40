/** Real kubectl, the oldest and the newest we promise, against the service: each command does what its users expect. */

import { execFile, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import type { Test } from 'tap';
import { needs, tempDir, toolPath } from '../../../test/harness/index.ts';
import { startControl } from './harness.ts';
import type { Control } from './harness.ts';

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

class Kubectl {
  readonly #path: string;
  readonly #url: string;
  readonly #home: string;

  constructor(t: Test, version: '1.32' | '1.36', control: Control) {
    this.#path = toolPath(`kubectl-${version}`);
    this.#url = control.url;
    this.#home = tempDir(t);
  }

  run(args: string, environment: Record<string, string> = {}): Promise<Ran> {
    const env = { PATH: process.env['PATH'], HOME: this.#home, ...environment };
    return new Promise((resolve) => {
      execFile(
        this.#path,
        ['-s', this.#url, ...args.split(' ')],
        { env, timeout: 60_000 },
        (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      );
    });
  }

  /** Writes a manifest and gives its path. */
  file(name: string, object: object): string {
    const path = join(this.#home, name);
    writeFileSync(path, JSON.stringify(object));
    return path;
  }

  /** Lines of a command that goes on, as they come. */
  follow(t: Test, args: string): AsyncIterableIterator<string> {
    const env = { PATH: process.env['PATH'], HOME: this.#home };
    const child = spawn(this.#path, ['-s', this.#url, ...args.split(' ')], {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    t.teardown(() => child.kill());
    return lines(child.stdout);
  }
}

function expectations(t: Test, kubectl: Kubectl) {
  return {
    succeeds: async (args: string, out: RegExp, environment?: Record<string, string>): Promise<string> => {
      const ran = await kubectl.run(args, environment);
      t.equal(ran.code, 0, `kubectl ${args}: ${ran.err}`);
      t.match(ran.out, out, args);
      return ran.out;
    },
    fails: async (args: string, err: RegExp): Promise<void> => {
      const ran = await kubectl.run(args);
      t.not(ran.code, 0, args);
      t.match(ran.err, err, args);
    },
  };
}

async function* lines(stream: AsyncIterable<Buffer>): AsyncIterableIterator<string> {
  let rest = '';
  for await (const chunk of stream) {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
}

const web = (ports: object[], labels: object = { app: 'web' }) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', labels },
  spec: { selector: { app: 'web' }, ports },
});
const http = { name: 'http', port: 80, targetPort: 8080 };
const https = { name: 'https', port: 443, targetPort: 8443 };

for (const version of ['1.32', '1.36'] as const) {
  test(`kubectl ${version}`, needs(`kubectl-${version}`), async (t) => {
    const control = await startControl(t);
    const kubectl = new Kubectl(t, version, control);

    await t.test('api-resources, explain and version', async (t) => {
      const { succeeds } = expectations(t, kubectl);
      const all = await succeeds('api-resources', /^services +svc +v1 +true +Service$/m);
      t.match(all, /^trafficpolicies +tp +outrigger\.dev\/v1alpha1 +true +TrafficPolicy$/m);
      await succeeds('explain service.spec.ports', /KIND: +Service[^]*targetPort\t<IntOrString>/);
      await succeeds(
        'explain tp.spec --recursive',
        /GROUP: +outrigger\.dev[^]*maxEjectionPercent\t<integer>/,
      );
      await succeeds('version', /Server Version: v1\.35/);
    });

    await t.test('create, get and describe', async (t) => {
      const { succeeds, fails } = expectations(t, kubectl);
      const file = kubectl.file('web.json', web([http]));
      await succeeds(`create -f ${file}`, /^service\/web created$/m);
      await fails(`create -f ${file}`, /\(AlreadyExists\).*services "web" already exists/);
      await succeeds(
        'get services',
        /^NAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\(S\) +AGE\nweb +ClusterIP +10\.96/,
      );
      await succeeds('get svc -o wide', /SELECTOR\nweb .*app=web$/m);
      await succeeds('get svc web -o yaml', /^kind: Service$/m);
      await succeeds('get svc -o json -A', /"kind": "List"/);
      await succeeds('get all', /^service\/web /m);
      await succeeds('get svc -l app=web --field-selector metadata.name=web -o name', /^service\/web$/m);
      await succeeds('get svc web --subresource=status -o name', /^service\/web$/m);
      await succeeds('describe service web', /^Port: +http +80\/TCP\nTargetPort: +8080\/TCP$/m);
      await fails('get svc nothing', /services "nothing" not found/);
      const strict = kubectl.file('strict.json', { ...web([http]), bogus: 1 });
      await fails(`create -f ${strict}`, /strict decoding error: unknown field "bogus"/);
    });

    await t.test('apply, diff and dry runs', async (t) => {
      const { succeeds, fails } = expectations(t, kubectl);
      const policy = kubectl.file('policy.json', {
        apiVersion: 'outrigger.dev/v1alpha1',
        kind: 'TrafficPolicy',
        metadata: { name: 'fast' },
        spec: { targetRefs: [{ group: '', kind: 'Service', name: 'web' }], balancing: 'roundRobin' },
      });
      await succeeds(`apply -f ${policy}`, /trafficpolicy.outrigger.dev\/fast created/);
      await succeeds(`apply -f ${policy}`, /trafficpolicy.outrigger.dev\/fast unchanged/);
      await succeeds('get tp', /^fast +web +roundRobin/m);
      const both = kubectl.file('both.json', web([http, https], { app: 'web', tier: 'front' }));
      await succeeds(`apply -f ${both}`, /service\/web configured/);
      await succeeds(`apply -f ${both}`, /service\/web unchanged/);
      const fewer = kubectl.file('fewer.json', web([https]));
      const diff = await kubectl.run(`diff -f ${fewer}`);
      t.equal(diff.code, 1, 'there is a difference');
      t.match(diff.out, /^-    tier: front$/m);
      await succeeds(`apply --dry-run=server -f ${fewer}`, /configured \(server dry run\)/);
      await succeeds('get svc web -o jsonpath={.spec.ports[*].name}', /^http https$/);
      await succeeds(`apply -f ${fewer}`, /service\/web configured/);
      await succeeds('get svc web -o jsonpath={.spec.ports[*].name}', /^https$/, undefined);
      t.equal((await kubectl.run(`diff -f ${fewer}`)).code, 0, 'there is none left');
      await fails(`apply --server-side -f ${fewer}`, /server-side apply is not served here/);
      await succeeds(`replace -f ${both}`, /service\/web replaced/);
    });

    await t.test('edit, label, annotate, patch and set', async (t) => {
      const { succeeds, fails } = expectations(t, kubectl);
      await succeeds('label svc web color=red', /labeled/);
      await succeeds('annotate svc web note=kept', /annotated/);
      const ports = '{"spec":{"ports":[{"port":80,"targetPort":9000}]}}';
      await succeeds(`patch svc web -p ${ports}`, /patched/);
      await succeeds('get svc web -o jsonpath={.spec.ports[0].targetPort}', /^9000$/);
      await succeeds('patch svc web --type merge -p {"spec":{"sessionAffinity":"ClientIP"}}', /patched/);
      await succeeds(
        'patch svc web --type json -p [{"op":"remove","path":"/metadata/labels/color"}]',
        /patched/,
      );
      await fails('patch svc web --type json -p [{"op":"test","path":"/spec/type","value":"X"}]', /invalid/);
      await succeeds('edit svc web', /service\/web edited/, { EDITOR: 'sed -i s/front/back/' });
      await succeeds('get svc web -o jsonpath={.metadata.labels}', /^\{"app":"web","tier":"back"\}$/);
      await succeeds('set selector svc web app=other', /selector updated/);
    });

    await t.test('wait and watch', async (t) => {
      const { succeeds } = expectations(t, kubectl);
      await succeeds('wait svc/web --for=jsonpath={.spec.selector.app}=other --timeout=20s', /condition met/);
      await succeeds('wait tp/fast --for=condition=Accepted --timeout=20s', /condition met/);
      const waiting = kubectl.run('wait tp/fast --for=condition=Tested --timeout=30s');
      const watching = kubectl.follow(t, 'get svc -w');
      t.match((await watching.next()).value, /^NAME/);
      t.match((await watching.next()).value, /^web /);
      await succeeds('label svc web seen=1', /labeled/);
      t.match((await watching.next()).value, /^web /);
      const condition = {
        type: 'Tested',
        status: 'True',
        reason: 'Tested',
        message: '',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      };
      const status = JSON.stringify({ status: { conditions: [condition] } });
      await succeeds(`patch tp fast --subresource=status --type=merge -p ${status}`, /patched/);
      t.match(await waiting, { code: 0, out: /condition met/ });
      const gone = kubectl.run('wait svc/web --for=delete --timeout=30s');
      await succeeds('delete svc web', /service "web" deleted/);
      t.match(await gone, { code: 0 });
    });

    await t.test('delete, pages and namespaces', async (t) => {
      const { succeeds, fails } = expectations(t, kubectl);
      await fails('delete svc web', /not found/);
      const namespace = kubectl.file('ns.json', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'team' },
      });
      await succeeds(`create -f ${namespace}`, /namespace\/team created/);
      for (const name of ['a', 'b', 'c']) {
        const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { k: 'v' } };
        await succeeds(`create -n team -f ${kubectl.file('map.json', map)}`, /created/);
      }
      await succeeds('get cm -n team --chunk-size=1 -o name', /^configmap\/a\nconfigmap\/b\nconfigmap\/c\n$/);
      await succeeds('delete cm -n team --all', /"c" deleted/);
      await succeeds('delete ns team --timeout=20s', /namespace "team" deleted/);
      await succeeds('get events', /^$/);
      await succeeds('get --raw /readyz', /^ok$/);
    });
  });
}
