/** `outrigger check`: every problem of every file, or the word that there is none. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { tempDir } from '../../../test/harness/index.ts';
import { run, service, slice } from './outrigger.ts';

test('good manifests: 0', async (t) => {
  const dir = tempDir(t);
  const yaml = `apiVersion: v1
kind: Service
metadata: { name: web }
spec: { ports: [{ port: 80 }] }
---
apiVersion: outrigger.dev/v1alpha1
kind: TrafficPolicy
metadata: { name: web }
spec: { targetRefs: [{ kind: Service, name: web }], connectTimeout: 250ms }
---
`;
  writeFileSync(join(dir, 'a.yaml'), yaml);
  writeFileSync(join(dir, 'b.json'), JSON.stringify({ kind: 'List', items: [service(), slice(8080)] }));
  writeFileSync(join(dir, 'README.md'), 'not a manifest');
  const { code, stdout, stderr } = await run(t, ['check', dir]);
  t.same({ code, stdout, stderr }, { code: 0, stdout: '4 objects, nothing wrong\n', stderr: '' });
});

test('bad manifests: 2, with every problem and its place', async (t) => {
  const dir = tempDir(t);
  const yaml = `apiVersion: v1
kind: Service
metadata: { name: Web_1 }
spec: { prots: [], ports: [{ name: a, port: 80 }, { name: a, port: 70000 }] }
---
apiVersion: outrigger.dev/v1alpha1
kind: TrafficPolicy
metadata: { name: web }
spec: { targetRefs: [{ kind: Service, name: web }], connectTimeout: soon }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
---
just: a mapping
`;
  writeFileSync(join(dir, 'a.yaml'), yaml);
  writeFileSync(join(dir, 'b.json'), '{"apiVersion": "v1", "kind": ');
  writeFileSync(join(dir, 'c.yaml'), 'a: 1\na: 2\n');
  const { code, stdout } = await run(t, ['check', dir]);
  t.equal(code, 2);
  for (const part of [
    /a\.yaml:3: .*Web_1/,
    /a\.yaml:4: .*prots/,
    /a\.yaml:4: .*70000/,
    /a\.yaml:9: .*connectTimeout.*soon/,
    /a\.yaml:11: .*Deployment is not a kind/,
    /a\.yaml:15: .*apiVersion and kind are missing/,
    /b\.json: /,
    /c\.yaml: .*unique/,
  ]) {
    t.match(stdout, part);
  }
  t.match(stdout, /^6 objects, \d+ problems\n$/m);
});

test('an ambassador: every field is known, and each problem has its path', async (t) => {
  const dir = tempDir(t);
  const good = `apiVersion: outrigger.dev/v1alpha1
kind: RedisAmbassador
metadata: { name: cache }
spec:
  sentinel: [10.0.0.1:26379, 10.0.0.2:26379]
  master: mymaster
  sentinelPasswordFrom: { file: /run/secrets/sentinel }
  passwordFrom: { file: /run/secrets/redis }
  readPolicy: nearest
  zone: eu-1a
  writeAcks: 1
  writeAcksTimeout: 500ms
  failoverWait: 5s
  routes:
    - { prefix: 'session:', cluster: [10.0.1.1:6379] }
  users:
    - { name: app, passwordFrom: { env: APP_PASSWORD } }
    - { name: viewer, passwordFrom: { env: VIEWER_PASSWORD }, readOnly: true, deny: [KEYS] }
  denyCommands: [FLUSHALL, CONFIG|SET]
  tls: { certFile: /tls/cert.pem, keyFile: /tls/key.pem, clientCaFile: /tls/ca.pem }
  serverTls: { caFile: /tls/ca.pem, serverName: redis.internal }
  limits: { maxClients: 500, idleTimeout: 10m, maxBulkBytes: 16MiB }
  slowLog: { threshold: 5ms, entries: 64 }
  tracing: { endpoint: 'http://127.0.0.1:4318', sample: 0.1 }
`;
  writeFileSync(join(dir, 'good.yaml'), good);
  const fine = await run(t, ['check', join(dir, 'good.yaml')]);
  t.same([fine.code, fine.stdout], [0, '1 object, nothing wrong\n']);
  const bad = good
    .replace('master: mymaster', 'cluster: [10.0.0.9:6379]')
    .replace('KEYS', "'@dangerous'")
    .replace('keyFile:', 'key:')
    .replace('maxClients: 500', 'maxSessions: 500');
  writeFileSync(join(dir, 'bad.yaml'), bad);
  const structure = await run(t, ['check', join(dir, 'bad.yaml')]);
  t.equal(structure.code, 2);
  t.match(structure.stdout, /bad\.yaml:20: spec\.tls\.keyFile: Required value/);
  t.match(structure.stdout, /bad\.yaml:22: unknown field "spec\.limits\.maxSessions"/);
  writeFileSync(join(dir, 'bad.yaml'), bad.replace('key:', 'keyFile:'));
  const rules = await run(t, ['check', join(dir, 'bad.yaml')]);
  t.equal(rules.code, 2);
  t.match(rules.stdout, /spec\.cluster: Forbidden: may not be set together with `sentinel`/);
  t.match(rules.stdout, /spec\.master: Required value/);
  t.match(rules.stdout, /spec\.users\[1\]\.deny\[0\]: .*categories are not known here/);
});

test("statsd_exporter's mappings are checked as well", async (t) => {
  const dir = tempDir(t);
  writeFileSync(
    join(dir, 'good.yaml'),
    'defaults: { observer_type: histogram }\nmappings:\n- { match: "a.*", name: "a_$1" }\n',
  );
  t.same((await run(t, ['check', dir])).stdout, '1 object, nothing wrong\n');
  writeFileSync(
    join(dir, 'inline.yaml'),
    'apiVersion: outrigger.dev/v1alpha1\nkind: MetricsAdapter\nmetadata: { name: a }\nspec: { mapping: { mapings: [] } }\n',
  );
  t.match(
    (await run(t, ['check', join(dir, 'inline.yaml')])).stdout,
    /spec\.mapping\.mapings: .*unknown field/,
  );
  writeFileSync(
    join(dir, 'bad.yaml'),
    'mappings:\n- { match: "(", match_type: regex, nam: a }\n- { match: a }\n',
  );
  const { code, stdout } = await run(t, ['check', dir]);
  t.equal(code, 2);
  for (const part of [
    /bad\.yaml:2: mappings\[0\]\.match/,
    /mappings\[0\]\.nam: /,
    /mappings\[1\]\.name/,
    /5 problems/,
  ]) {
    t.match(stdout, part);
  }
});

test('adapters beyond their structure, and web configurations, are checked as well', async (t) => {
  const dir = tempDir(t);
  const spec = {
    sources: [{ name: 's', redis: { address: 'x:6379' }, relabel: [{ regex: '(' }] }],
    probe: { allow: ['10/8'] },
  };
  const object = {
    apiVersion: 'outrigger.dev/v1alpha1',
    kind: 'MetricsAdapter',
    metadata: { name: 'a' },
    spec,
  };
  writeFileSync(join(dir, 'adapter.json'), JSON.stringify(object));
  writeFileSync(join(dir, 'web.yml'), 'basic_auth_users: { anna: plain-text }\ntls_config: {}\n');
  const { code, stdout } = await run(t, ['check', dir]);
  t.equal(code, 2);
  for (const part of [
    /adapter\.json:1: spec\.sources\[0\]\.relabel\[0\]: /,
    /adapter\.json:1: spec\.probe\.allow: /,
    /web\.yml:1: basic_auth_users\.anna: /,
    /web\.yml:2: tls_config: .*an unknown key/,
    /4 problems/,
  ])
    t.match(stdout, part);
  t.notMatch(stdout, 'plain-text');
});

test("every kind of an adapter's files: each problem with its line, all at once", async (t) => {
  const dir = tempDir(t);
  const files = {
    'adapter.yaml': `# the document itself, without an object around it
control: [http://127.0.0.1:7080]
logLevel: info
sources:
  - name: a
    prometheus: { url: 'http://bob:hunter2@127.0.0.1/metrics' }
    relabel:
      - { action: drop, regex: fine }
      - { action: hashmod }
      - { regex: '(' }
  - name: b
    redis:
      address: redis://:hunter2@cache
  - name: c
    json:
      url: svc:shop
      http: { username: u, bearerTokenFrom: { file: /t } }
  - name: d
    jolokia:
      url: http://127.0.0.1:8778/
      rules:
        rules:
          - pattern: '('
          - { name: x }
  - name: e
    pod: { processes: [{ name: p, command: '[' }] }
`,
    'structure.yaml':
      'maxSeries: many\nsources:\n  - name: a\n    jsn: {}\n  - name: b\n    json: { url: 1 }\n',
    'json.yml': `modules:
  one:
    metrics:
      - { name: a, path: '{ [' }
      - { name: b, path: '{.b}', labels: { x: '{' } }
  two:
    http_client_config: { proxy_url: 'http://x' }
`,
    'jmx.yml': `lowercaseOutputName: true
rules:
  - pattern: '('
  - { pattern: 'a', name: '$2' }
  - name: x
`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  const { code, stdout } = await run(t, ['check', dir]);
  t.equal(code, 2);
  for (const part of [
    /adapter\.yaml:6: sources\[0\]\.prometheus: .*password/,
    /adapter\.yaml:9: sources\[0\]\.relabel\[1\]: .*targetLabel/,
    /adapter\.yaml:10: sources\[0\]\.relabel\[2\]: .*RE2/,
    /adapter\.yaml:12: sources\[1\]\.redis: .*password/,
    /adapter\.yaml:15: sources\[2\]\.json: /,
    /adapter\.yaml:17: sources\[2\]\.json\.http: .*bearer/,
    /adapter\.yaml:23: sources\[3\]\.jolokia\.rules\.rules\[0\]: .*RE2/,
    /adapter\.yaml:24: sources\[3\]\.jolokia\.rules\.rules\[1\]\.pattern: /,
    /adapter\.yaml:26: sources\[4\]\.pod: .*RE2/,
    /structure\.yaml:1: maxSeries: /,
    /structure\.yaml:4: sources\[0\]\.jsn: /,
    /structure\.yaml:6: sources\[1\]\.json\.url: /,
    /json\.yml:4: modules\[one\]\.metrics\[0\]\.path: /,
    /json\.yml:5: modules\[one\]\.metrics\[1\]\.labels\[x\]: /,
    /json\.yml:7: modules\[two\]\.http_client_config\.proxy_url: /,
    /jmx\.yml:3: rules\[0\]: .*RE2/,
    /jmx\.yml:4: rules\[1\]\.name: /,
    /jmx\.yml:5: rules\[2\]\.pattern: /,
    /^4 objects, 18 problems$/m,
  ])
    t.match(stdout, part);
  t.notMatch(stdout, 'hunter2');
});
