import { FakeClock } from '@outrigger/core/clock';
import { silentLogger } from '@outrigger/core/log';
import { testDeps } from '@outrigger/core/testing';
import { controlConnectionChecks, hasControl, resolveConnection } from '@outrigger/core/watch';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseControlUrl } from '../../../src/watch/connection/url.ts';
import { test } from 'tap';

const deps = { clock: new FakeClock(), log: silentLogger() };

test('control URLs', (t) => {
  t.match(parseControlUrl('http://127.0.0.1:7080/'), {
    text: 'http://127.0.0.1:7080',
    tls: false,
    address: { kind: 'tcp', host: '127.0.0.1', port: 7080 },
    prefix: '',
  });
  t.match(parseControlUrl('https://[::1]/k8s/clusters/x/'), {
    text: 'https://[::1]/k8s/clusters/x',
    tls: true,
    address: { kind: 'tcp', host: '::1', port: 443 },
    hostname: '::1',
    prefix: '/k8s/clusters/x',
  });
  for (const text of ['unix:/run/control.sock', 'unix:///run/control.sock']) {
    t.match(parseControlUrl(text), {
      text: 'unix:/run/control.sock',
      address: { kind: 'unix', path: '/run/control.sock' },
    });
  }
  t.end();
});

test('what is no control URL is refused, and secrets in one are not repeated', (t) => {
  for (const text of [
    '127.0.0.1:7080',
    'ftp://x',
    'http://',
    'http://x/?a=1',
    'http://x/#a',
    'unix:relative',
    '',
  ]) {
    t.throws(() => parseControlUrl(text), { code: 'CONTROL_URL_INVALID' }, text);
  }
  t.throws(() => parseControlUrl('https://me:secret@x'), { code: 'CONTROL_URL_INVALID' });
  try {
    parseControlUrl('https://me:secret@x');
  } catch (error) {
    t.notMatch(String(error), /secret/);
  }
  t.throws(() => controlConnectionChecks['control']?.('http://a,nonsense'), { code: 'CONTROL_URL_INVALID' });
  t.end();
});

test('several URLs, by comma or one by one', async (t) => {
  const connection = await resolveConnection({ control: ['http://a:1, http://b:2', 'unix:/c'] }, deps);
  t.same(
    connection.urls.map(({ text }) => text),
    ['http://a:1', 'http://b:2', 'unix:/c'],
  );
  t.equal(await connection.authorization(), undefined);
  t.match(await connection.tls(), { ca: undefined, cert: undefined, rejectUnauthorized: true });
});

test('one way to connect, no more and no less', async (t) => {
  t.notOk(hasControl({}));
  t.notOk(hasControl({ control: [] }));
  t.ok(hasControl({ inCluster: true }));
  await t.rejects(resolveConnection({}, deps), { code: 'CONTROL_CONFIG' });
  await t.rejects(resolveConnection({ control: ['http://a'], inCluster: true }, deps), {
    code: 'CONTROL_CONFIG',
  });
  await t.rejects(resolveConnection({ control: ['https://a'], controlCert: 'f' }, deps), {
    code: 'CONTROL_CONFIG',
  });
});

test('a token file is read again when it is old, or when it was refused', async (t) => {
  const clock = new FakeClock();
  const dir = t.testdir({ token: 'one\n' });
  const { log, lines } = testDeps({ clock });
  const file = join(dir, 'token');
  const connection = await resolveConnection(
    { control: ['https://a'], controlTokenFile: file },
    { clock, log },
  );
  t.equal(await connection.authorization(), 'Bearer one');
  await writeFile(file, 'two');
  t.equal(await connection.authorization(), 'Bearer one', 'not read for every request');
  await clock.advance(10_000);
  t.equal(await connection.authorization(), 'Bearer two');
  await writeFile(file, 'three');
  connection.forget();
  t.equal(await connection.authorization(), 'Bearer three');
  await rm(file);
  for (let i = 0; i < 3; i++) {
    await clock.advance(10_000);
    t.equal(await connection.authorization(), 'Bearer three', 'the last one stays in use');
  }
  t.equal(lines.filter((line) => line.includes('not readable any more')).length, 1);
  t.notMatch(lines.join(''), /three/, 'no token in the log');
});

test('a token file that never was is an error', async (t) => {
  const connection = await resolveConnection(
    { control: ['https://a'], controlTokenFile: '/nonexistent' },
    deps,
  );
  await t.rejects(connection.authorization(), { code: 'CONTROL_CREDENTIALS', target: '/nonexistent' });
});

test('in a cluster', async (t) => {
  const dir = t.testdir({ token: 'tok', 'ca.crt': 'CA', namespace: 'shop\n' });
  const connection = await resolveConnection(
    { inCluster: true, serviceAccountDir: dir, inClusterAddress: '[fd00::1]:6443' },
    deps,
  );
  t.equal(connection.urls[0]?.text, 'https://[fd00::1]:6443');
  t.equal(connection.namespace, 'shop');
  t.equal(await connection.authorization(), 'Bearer tok');
  t.match(await connection.tls(), { ca: 'CA' });
  const byName = await resolveConnection({ inCluster: true, serviceAccountDir: dir }, deps);
  t.equal(byName.urls[0]?.text, 'https://kubernetes.default.svc');
  await t.rejects(resolveConnection({ inCluster: true, serviceAccountDir: '/nonexistent' }, deps), {
    code: 'CONTROL_CREDENTIALS',
  });
});
