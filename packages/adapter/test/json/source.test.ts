import { test } from 'tap';
import { systemClock } from '@outrigger/core/clock';
import type { SourceHttp } from '@outrigger/core/api';
import { readJsonModules } from '../../src/json/modules.ts';
import type { JsonModules } from '../../src/json/modules.ts';
import { JsonProbe, jsonSource } from '../../src/json/source.ts';
import { asked, bodyOf, serve } from '../http/servers.ts';

const clock = systemClock();
const http: SourceHttp = { insecureSkipVerify: false, followRedirects: true, maxBodySize: '1MiB' };
const modulesOf = (module: object): JsonModules =>
  readJsonModules({ modules: { default: { metrics: [{ name: 'a', path: '{.a}' }], ...module } } });

test('asks by its module, and by a new one when there is one', async (t) => {
  const seen: unknown[] = [];
  const server = await serve(t, (request, response) => {
    void bodyOf(request).then((body) => {
      seen.push([request.method, request.url, body, request.headers.accept, request.headers['x-a']]);
      response.end('\uFEFF{"a": 1, "b": 2}');
    });
  });
  let modules = modulesOf({ headers: { 'X-A': 'module' } });
  const spec = { url: 'http://svc:shop/app/status', module: 'default', http };
  const place = { address: `${server.url}status`, labels: {} };
  const source = jsonSource(spec, place, { modules: () => modules, clock });
  t.teardown(() => source.close());
  t.match(await source.collect(asked()), { families: [{ name: 'a', samples: [{ value: 1 }] }] });
  modules = modulesOf({ metrics: [{ name: 'b', path: '{.b}' }], body: { content: '{}' } });
  t.match(await source.collect(asked()), { families: [{ name: 'b', samples: [{ value: 2 }] }] });
  t.same(seen, [
    ['GET', '/status', '', 'application/json', 'module'],
    ['POST', '/status', '{}', 'application/json', undefined],
  ]);
});

test('failures have their class, and say which page', async (t) => {
  const answers: Record<string, [number, string]> = {
    '/html': [200, '<html>'],
    '/half': [200, '{"a": '],
    '/empty': [200, ''],
    '/down': [500, '{}'],
    '/fine': [503, '{"a": 7}'],
  };
  const server = await serve(t, (request, response) => {
    const [status, text] = answers[request.url ?? ''] ?? [404, ''];
    response.writeHead(status).end(text);
  });
  const probe = new JsonProbe({ modules: () => modulesOf({}), clock });
  t.teardown(() => probe.close());
  const ask = (path: string, module = 'default'): Promise<unknown> =>
    probe.probe(`${server.url}${path}`, module, asked());
  for (const path of ['html', 'half', 'empty']) {
    await t.rejects(ask(path), {
      class: 'parse',
      message: new RegExp(`/${path} answered no JSON: .*; check path`),
    });
  }
  await t.rejects(ask('down'), { class: 'status', message: /answered 500/ });
  await t.rejects(ask('html', 'nope'), { class: 'internal', message: /no module "nope"; there are default/ });
  await t.rejects(probe.probe('nowhere', 'default', asked()), { code: 'CONFIG_INVALID' });
  const tolerant = new JsonProbe({ modules: () => modulesOf({ valid_status_codes: [503] }), clock });
  t.teardown(() => tolerant.close());
  t.match(await tolerant.probe(`${server.url}fine`, 'default', asked()), { families: [{ name: 'a' }] });
});

test('what the source says about HTTP wins over its module', async (t) => {
  const seen: unknown[] = [];
  const server = await serve(t, (request, response) => {
    seen.push(request.headers.authorization, request.headers['x-a'], request.headers['x-b']);
    response.end('{"a": 1}');
  });
  const module = modulesOf({
    headers: { 'X-A': 'module', 'X-B': 'module' },
    http_client_config: { bearer_token: 'module' },
  });
  const own = { ...http, headers: { 'x-a': 'own' }, bearerTokenFrom: { env: 'TOKEN' } };
  const source = jsonSource(
    { url: server.url, module: 'default', http: own },
    { address: server.url, labels: {} },
    { modules: () => module, clock, environment: { TOKEN: 'own' } },
  );
  t.teardown(() => source.close());
  await source.collect(asked());
  t.same(seen, ['Bearer own', 'own', 'module']);
});
