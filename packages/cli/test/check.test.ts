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
    /a\.yaml:1: .*Web_1/,
    /a\.yaml:1: .*prots/,
    /a\.yaml:1: .*70000/,
    /a\.yaml:6: .*connectTimeout.*soon/,
    /a\.yaml:11: .*Deployment is not a kind/,
    /a\.yaml:15: .*apiVersion and kind are missing/,
    /b\.json: /,
    /c\.yaml: .*unique/,
  ]) {
    t.match(stdout, part);
  }
  t.match(stdout, /^6 objects, \d+ problems\n$/m);
});
