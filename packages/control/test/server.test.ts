import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'tap';
import { needs, tempDir, toolPath } from '../../../test/harness/index.ts';
import { defaultsOf } from '@outrigger/core/api';
import { testDeps } from '@outrigger/core/testing';
import { controlSchema, parseControlConfig, start } from '../src/index.ts';
import { service, services, startControl } from './harness.ts';

const parse = (values: Record<string, unknown>) =>
  parseControlConfig({ ...defaultsOf(controlSchema), ...values });

test('an address others can reach needs TLS and client certificates, or the word of the operator', (t) => {
  const refused = { code: 'CONFIG_INVALID', message: /which others can reach, without TLS/ };
  t.throws(() => parse({ listen: '0.0.0.0:7080' }), refused);
  t.throws(() => parse({ listen: '0.0.0.0:7080', tlsCert: 'c', tlsKey: 'k' }), refused);
  t.doesNotThrow(() => parse({ listen: '0.0.0.0:7080', insecure: true }));
  t.doesNotThrow(() => parse({ listen: '0.0.0.0:7080', tlsCert: 'c', tlsKey: 'k', clientCa: 'ca' }));
  for (const listen of ['127.0.0.1:0', '[::1]:0', 'unix:/tmp/socket'])
    t.doesNotThrow(() => parse({ listen }));
  t.end();
});

test('every problem of a configuration is told at once', (t) => {
  const problems = { listen: 'nowhere', serviceCidr: '10.0.0.0/99', nodePortRange: '9-1', maxBody: 'huge' };
  for (const field of Object.keys(problems)) t.throws(() => parse(problems), { message: new RegExp(field) });
  t.throws(() => parse({ tlsCert: 'c' }), { message: /tlsKey/ });
  t.throws(() => parse({ clientCa: 'c' }), { message: /clientCa/ });
  t.end();
});

test('with a client CA, only its certificates get in', needs('openssl'), async (t) => {
  const dir = tempDir(t);
  makeCertificates(dir);
  const file = (name: string): string => join(dir, name);
  const deps = testDeps();
  const config = parse({
    memory: true,
    listen: '127.0.0.1:0',
    tlsCert: file('server.pem'),
    tlsKey: file('server.key'),
    clientCa: file('ca.pem'),
  });
  const daemon = await start(config, deps);
  t.teardown(() => daemon.close());
  const port = Number(daemon.addresses['api']?.split(':').at(-1));
  const ask = (credentials: object): Promise<number> =>
    new Promise((resolve, reject) => {
      const options = {
        port,
        host: '127.0.0.1',
        path: '/version',
        ca: readFileSync(file('ca.pem')),
        agent: false,
      };
      https
        .get({ ...options, ...credentials, servername: 'localhost' }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        })
        .once('error', reject);
    });
  const client = { cert: readFileSync(file('client.pem')), key: readFileSync(file('client.key')) };
  t.equal(await ask(client), 200);
  await t.rejects(ask({}));
  await t.rejects(
    ask({ cert: readFileSync(file('server.pem')), key: readFileSync(file('server.key')) }).then(() => {
      throw new Error('a certificate is a certificate of this CA');
    }),
  );
  await daemon.reload(config);
  t.equal(await ask(client), 200, 'after the certificates were read again');
  const missing = parse({ memory: true, listen: '127.0.0.1:0', tlsCert: file('none'), tlsKey: file('none') });
  await t.rejects(start(missing, testDeps()), { code: 'CONFIG_INVALID', target: file('none') });
});

test('requests under way are answered while draining, and nothing new is taken', async (t) => {
  const control = await startControl(t);
  const { port, hostname } = new URL(control.url);
  const socket = connect(Number(port), hostname);
  t.teardown(() => socket.destroy());
  const body = JSON.stringify(service('web'));
  const head = `POST ${services} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(head + body.slice(0, 10));
  await control.get('/healthz');
  const drained = control.daemon.drain();
  await t.rejects(control.get('/healthz'), { code: 'ECONNREFUSED' });
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(body.slice(10));
  await drained;
  await closed;
  t.match(answer, /^HTTP\/1\.1 201 Created\r\n/);
});

test('what a reload cannot change is told', async (t) => {
  const control = await startControl(t);
  await control.daemon.reload(parse({ memory: true, listen: '127.0.0.1:0', maxReads: 7 }));
  t.ok(control.deps.lines.some((line) => /take effect after a restart.*limits/.test(line)));
});

/** A CA, a server certificate for localhost, and a client certificate. */
function makeCertificates(dir: string): void {
  const run = (...args: string[]): void => {
    const { status, stderr } = spawnSync(toolPath('openssl'), args, { cwd: dir, encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
  };
  const fresh = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  run(...fresh, '-x509', '-days', '2', '-subj', '/CN=test CA', '-keyout', 'ca.key', '-out', 'ca.pem');
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-x509', '-days', '2'];
  const name = ['-addext', 'subjectAltName=DNS:localhost'];
  run(...fresh, ...signed, '-subj', '/CN=localhost', ...name, '-keyout', 'server.key', '-out', 'server.pem');
  run(...fresh, ...signed, '-subj', '/CN=tester/O=testers', '-keyout', 'client.key', '-out', 'client.pem');
}
