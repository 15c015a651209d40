import { FakeClock, systemClock } from '@outrigger/core/clock';
import { eventually, testDeps } from '@outrigger/core/testing';
import { hashSync } from 'bcryptjs';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { needs } from '../../../../test/harness/index.ts';
import { AllowList } from '../../src/page/allow.ts';
import { maxScrapes } from '../../src/page/page.ts';
import { maxProbes, sendTimeoutMs, startScrapeServer } from '../../src/page/server.ts';
import type { Probe } from '../../src/page/server.ts';
import { HashThread, Users } from '../../src/page/users.ts';
import { readWebConfig } from '../../src/page/web-config.ts';
import { lookEveryMs, Web } from '../../src/page/web.ts';
import { answering, family, newPage } from './harness.ts';

type Test = { teardown(step: () => unknown): void };

const hash = hashSync('secret', 4);

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'web-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

const small = family('a', 'gauge', [[], 1]);

async function serve(t: Test, webConfig?: string, probe?: Probe, clock = systemClock(), says = small) {
  const deps = testDeps({ clock });
  const web = await Web.open(webConfig, deps);
  t.teardown(() => web.close());
  const { page, asked, registry } = newPage({ one: answering(says) }, { clock: systemClock() });
  const server = await startScrapeServer(
    { kind: 'tcp', host: '127.0.0.1', port: 0 },
    {
      ...{ page, web, sources: () => asked, series: () => registry.size },
      allow: () => new AllowList(['127.0.0.0/8', 'allowed.test']),
      probe: probe ?? (() => Promise.resolve({ families: [family('p', 'gauge', [[], 1])] })),
      resolve: (name) =>
        Promise.resolve(
          name === 'inside.test'
            ? ['127.0.0.1']
            : name === 'mixed.test'
              ? ['127.0.0.1', '10.0.0.1']
              : ['10.0.0.1'],
        ),
    },
    deps,
  );
  t.teardown(() => server.close());
  return { server, web, deps, base: `http://${server.name}` };
}

test('metrics, HEAD, gzip, the landing page, and what is not there', async (t) => {
  const { base } = await serve(t);
  const page = await fetch(`${base}/metrics`, { headers: { 'accept-encoding': 'identity' } });
  const text = await page.text();
  t.equal(page.headers.get('content-length'), String(Buffer.byteLength(text)));
  t.match(text, /^a 1$/m);
  const head = await fetch(`${base}/metrics`, { method: 'HEAD' });
  t.equal(head.status, 200);
  t.equal(await head.text(), '');
  const zipped = await fetch(`${base}/metrics?name[]=a`, {
    headers: { accept: 'application/openmetrics-text;version=1.0.0' },
  });
  t.equal(zipped.headers.get('content-encoding'), 'gzip');
  t.equal(await zipped.text(), '# TYPE a gauge\n# HELP a a.\na 1\n# EOF\n');
  t.match(await (await fetch(`${base}/`)).text(), '<td>one</td>');
  t.equal((await fetch(`${base}/x`)).status, 404);
  t.equal((await fetch(`${base}/metrics`, { method: 'POST' })).status, 405);
});

test('who takes a page too slowly loses it, and who went away is no news', async (t) => {
  const clock = new FakeClock();
  // More than kernels keep for a connection.
  const value = 'x'.repeat(1 << 18);
  const samples = Array.from({ length: 90 }, (_, i) => [[['i', `${i}${value}`]], i] as const);
  const huge = { ...family('a', 'gauge'), samples: samples.map(([labels, n]) => ({ suffix: '' as const, labels: labels.map(([k = '', v = '']) => [k, v] as const), value: n })) }; // prettier-ignore
  const { base, deps } = await serve(t, undefined, undefined, clock, huge);
  const { port } = new URL(base);
  let open = maxScrapes;
  const sockets = Array.from({ length: maxScrapes }, () => {
    const socket = connect(Number(port), '127.0.0.1').pause();
    socket.write('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n');
    // Only what is written to tells a paused socket that it was cut.
    socket.on('error', () => undefined).on('close', () => (open -= 1));
    t.teardown(() => socket.destroy());
    return socket;
  });
  const status = async (): Promise<number> => {
    const response = await fetch(`${base}/metrics?name[]=none`);
    await response.text();
    return response.status;
  };
  while ((await status()) !== 503);
  while ((await status()) === 503) await clock.advance(sendTimeoutMs);
  const cut = async (): Promise<number> =>
    Number(/_cut_total (\d+)/.exec(await (await fetch(`${base}/metrics?name[]=outrigger_adapter_scrapes_cut_total`)).text())?.[1]); // prettier-ignore
  while ((await cut()) < maxScrapes) await clock.advance(sendTimeoutMs);
  t.equal(await cut(), maxScrapes);
  for (const socket of sockets) socket.resetAndDestroy();
  const gone = connect(Number(port), '127.0.0.1');
  await new Promise<void>((resolve) =>
    gone.write('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n', () => resolve()),
  );
  gone.resetAndDestroy();
  for (let i = 0; i < 20; i++) await status();
  t.strictSame(
    deps.lines.filter((line) => JSON.stringify(line).includes('scrape')),
    [],
  );
  t.equal(open, 0);
});

test('probes go where the list allows, and nowhere else', async (t) => {
  const targets: string[] = [];
  const { base } = await serve(t, undefined, (target, module) => {
    targets.push(`${module} ${target}`);
    return Promise.resolve({ families: [family('p', 'gauge', [[], 1])] });
  });
  const ask = async (target: string, module = '') =>
    (await fetch(`${base}/probe?target=${encodeURIComponent(target)}${module}`)).status;
  t.equal(await ask('http://127.0.0.1:8080/x?y=z', '&module=m'), 200);
  t.equal(await ask('http://inside.test:81/x'), 200);
  t.equal(await ask('https://inside.test/x'), 200);
  t.equal(await ask('http://allowed.test/x'), 200);
  t.strictSame(
    targets,
    [
      'm http://127.0.0.1:8080/x?y=z',
      'default http://127.0.0.1:81/x',
      'default https://inside.test/x',
      'default http://allowed.test/x',
    ],
    'a name that may lead elsewhere the next moment is replaced by what was checked',
  );
  for (const target of [
    'http://outside.test/',
    'http://mixed.test/',
    'http://10.0.0.1/',
    'http://[::ffff:10.0.0.1]/',
  ])
    t.equal(await ask(target), 403, target);
  for (const target of ['', 'file:///etc/passwd', 'x']) t.equal(await ask(target), 400, target);
  t.equal(targets.length, 4);
  t.throws(() => new AllowList(['10.0.0.0/33']), { code: 'CONFIG_INVALID' });
});

test('users of the web configuration, and the file read again when it changes', async (t) => {
  const file = join(folder(t), 'web.yml');
  writeFileSync(
    file,
    `basic_auth_users:\n  anna: ${hash}\nhttp_server_config:\n  headers:\n    X-Frame-Options: deny\n`,
  );
  const clock = new FakeClock();
  const { base, deps } = await serve(t, file, undefined, clock);
  const status = async (credentials?: string) => {
    const headers: Record<string, string> =
      credentials === undefined ? {} : { authorization: `Basic ${btoa(credentials)}` };
    return (await fetch(`${base}/`, { headers })).status;
  };
  const refused = await fetch(`${base}/metrics`);
  t.equal(refused.status, 401);
  t.equal(refused.headers.get('www-authenticate'), 'Basic');
  t.equal(refused.headers.get('x-frame-options'), 'deny');
  t.equal(await status('anna:secret'), 200);
  t.equal(await status('anna:wrong'), 401);
  t.equal(await status('nobody:secret'), 401);
  t.equal(await status('anna'), 401);
  writeFileSync(file, 'basic_auth_users: {berta: nonsense}\n');
  await clock.advance(lookEveryMs);
  await untilLogged(deps.lines, 'web configuration refused', clock);
  t.equal(await status('anna:secret'), 200, 'the one before stays');
  writeFileSync(file, `basic_auth_users: { berta: ${hash} }\n`);
  await clock.advance(lookEveryMs);
  await untilLogged(deps.lines, 'web configuration read again', clock);
  t.equal(await status('anna:secret'), 401);
  t.equal(await status('berta:secret'), 200);
});

async function untilLogged(lines: readonly string[], text: string, clock: FakeClock): Promise<void> {
  while (!lines.some((line) => line.includes(text))) await clock.advance(lookEveryMs);
}

test('passwords are checked one at a time, few wait, and what was found is remembered', async (t) => {
  const thread = new HashThread();
  t.teardown(() => thread.close());
  const users = new Users(new Map([['anna', hash]]), thread);
  const basic = (text: string) => `Basic ${btoa(text)}`;
  const verdicts = await Promise.all(Array.from({ length: 100 }, (_, i) => users.check(basic(`anna:${i}`))));
  t.equal(verdicts.filter((one) => one === 'no').length, 64);
  t.equal(verdicts.filter((one) => one === 'busy').length, 36);
  t.equal(await users.check(basic('anna:secret')), 'yes');
  await thread.close();
  t.equal(await users.check(basic('anna:secret')), 'yes', 'without the thread');
  t.equal(await new Users(new Map(), thread).check(undefined), 'yes');
});

test('a web configuration is strict, and tells every problem', async (t) => {
  const bad = `
tls_server_config: { cert_file: c, client_auth_type: Sometimes, min_version: TLS9, nonsense: 1 }
http_server_config: { http2: perhaps, headers: { X-Nonsense: a } }
basic_auth_users: { anna: plain-text }
rate_limit: { interval: soon, burst: 0 }
other: 1
`;
  const error = await readWebConfig(bad, '/etc/web.yml').catch((caught: unknown) => String(caught));
  for (const path of [
    ...[
      'other',
      'tls_server_config.key_file',
      'tls_server_config.client_auth_type',
      'tls_server_config.min_version',
    ],
    ...['tls_server_config.nonsense', 'http_server_config.http2', 'http_server_config.headers.X-Nonsense'],
    ...['basic_auth_users.anna', 'rate_limit.interval', 'rate_limit.burst'],
  ])
    t.match(error, `/etc/web.yml: ${path}:`.replace('/etc/web.yml: other', 'other'), path);
  t.notMatch(error, 'plain-text', 'what may be a password is not told');
  const { tls } = await readWebConfig(
    'tls_server_config: { cert_file: c.pem, key_file: /k.pem }',
    '/etc/web.yml',
  );
  t.match(tls, { certFile: '/etc/c.pem', keyFile: '/k.pem', minVersion: 'TLSv1.2' });
  t.equal((await readWebConfig('', '/etc/web.yml')).tls, undefined);
});

test('the rate limit lets a burst pass, then one per interval', async (t) => {
  const file = join(folder(t), 'web.yml');
  writeFileSync(file, 'rate_limit: { interval: 1s, burst: 2 }\n');
  const clock = new FakeClock();
  const web = await Web.open(file, testDeps({ clock }));
  t.teardown(() => web.close());
  t.strictSame([web.mayPass(), web.mayPass(), web.mayPass()], [true, true, false]);
  await clock.advance(1000);
  t.strictSame([web.mayPass(), web.mayPass()], [true, false]);
});

function certificate(dir: string, name: string): void {
  const args = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
  ];
  const out = ['-keyout', join(dir, `${name}.key`), '-out', join(dir, `${name}.crt`), '-subj', `/CN=${name}`];
  spawnSync('openssl', [...args, ...out, '-addext', `subjectAltName=DNS:${name}`]);
}

test('TLS, client certificates by name, and certificates that change', needs('openssl'), async (t) => {
  const dir = folder(t);
  for (const name of ['server', 'next', 'friend', 'stranger']) certificate(dir, name);
  const file = join(dir, 'web.yml');
  const config = (name: string) =>
    `tls_server_config: { cert_file: ${name}.crt, key_file: ${name}.key, client_ca_file: ca.crt,
      client_auth_type: RequireAndVerifyClientCert, client_allowed_sans: [friend] }\n`;
  spawnSync('sh', ['-c', 'cat friend.crt stranger.crt > ca.crt'], { cwd: dir });
  writeFileSync(file, config('server'));
  const { server, web } = await serve(t, file);
  const ask = (client: string | undefined) =>
    new Promise<{ status: number; subject: string }>((resolve, reject) => {
      const own =
        client === undefined
          ? {}
          : { cert: readFileSync(join(dir, `${client}.crt`)), key: readFileSync(join(dir, `${client}.key`)) };
      const [host, port] = server.name.split(':');
      const sent = request(
        { host, port, path: '/metrics', rejectUnauthorized: false, agent: false, ...own },
        (response) => {
          const { subject } = (response.socket as TLSSocket).getPeerCertificate();
          response
            .resume()
            .on('end', () => resolve({ status: response.statusCode ?? 0, subject: String(subject.CN) }));
        },
      );
      sent.on('error', reject).end();
    });
  t.strictSame(await ask('friend'), { status: 200, subject: 'server' });
  t.strictSame(await ask('stranger'), { status: 403, subject: 'server' });
  await t.rejects(ask(undefined));
  writeFileSync(file, config('next'));
  await web.look();
  t.strictSame(await ask('friend'), { status: 200, subject: 'next' });
});

test('probes are bounded, and end when nobody waits for them', async (t) => {
  const signals: AbortSignal[] = [];
  const { base } = await serve(t, undefined, (_target, _module, { signal }) => {
    signals.push(signal);
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  });
  const gone = new AbortController();
  const url = `${base}/probe?target=${encodeURIComponent('http://127.0.0.1:1/')}`;
  const asked = Array.from({ length: maxProbes }, () => fetch(url, { signal: gone.signal }));
  const ended = Promise.allSettled(asked);
  await eventually('all are asked', () => signals.length === maxProbes || undefined);
  const refused = await fetch(url);
  t.equal(refused.status, 503);
  t.match(await refused.text(), /32 probes are under way/);
  gone.abort();
  await ended;
  await eventually('all have ended', () => signals.every(({ aborted }) => aborted) || undefined);
  const again = new AbortController();
  const next = fetch(url, { signal: again.signal }).catch(() => 'aborted');
  await eventually('there is room again', () => signals.length === maxProbes + 1 || undefined);
  again.abort();
  await next;
});
