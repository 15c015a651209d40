import { test } from 'tap';
import type { Test } from 'tap';
import { FakeClock } from '@outrigger/core/clock';
import { readJsonModules } from '../../src/json/modules.ts';
import { JsonProbe } from '../../src/json/source.ts';
import { asked, bodyOf, serve } from './servers.ts';

/** A page that wants the newest token, and who gives it out. */
async function world(t: Test): Promise<{
  clock: FakeClock;
  given: string[];
  answers: { status: number; body?: string };
  revoke: () => void;
  ask: () => Promise<unknown>;
}> {
  const given: string[] = [];
  const answers: { status: number; body?: string } = { status: 200 };
  let valid = '';
  const tokens = await serve(t, (request, response) => {
    void bodyOf(request).then((body) => {
      given.push(`${request.headers.authorization} ${body}`);
      valid = `t${given.length}`;
      response.statusCode = answers.status;
      response.end(answers.body ?? JSON.stringify({ access_token: valid, expires_in: 60 }));
    });
  });
  const page = await serve(t, (request, response) => {
    const known = request.headers.authorization === `Bearer ${valid}`;
    response.writeHead(known ? 200 : 401).end('{"a": 1}');
  });
  const clock = new FakeClock();
  const oauth2 = {
    client_id: 'id:1',
    client_secret: 's',
    token_url: `${tokens.url}token`,
    scopes: ['read', 'more'],
    endpoint_params: { audience: 'x' },
  };
  const module = { metrics: [{ name: 'a', path: '{.a}' }], http_client_config: { oauth2 } };
  const modules = readJsonModules({ modules: { default: module } });
  const probe = new JsonProbe({ modules: () => modules, clock });
  t.teardown(() => probe.close());
  const ask = (): Promise<unknown> => probe.probe(page.url, 'default', asked());
  return { clock, given, answers, revoke: () => void (valid = 'another'), ask };
}

test('a token is asked for once and kept while it holds', async (t) => {
  const { clock, given, ask } = await world(t);
  t.match(await ask(), { families: [{ name: 'a' }] });
  await ask();
  const basic = `Basic ${Buffer.from('id%3A1:s').toString('base64')}`;
  t.same(given, [`${basic} grant_type=client_credentials&audience=x&scope=read+more`]);
  await clock.advance(51_000);
  await ask();
  t.equal(given.length, 2, 'in time before its end');
});

test('a token that is refused is not used again', async (t) => {
  const { given, revoke, ask } = await world(t);
  await ask();
  revoke();
  await t.rejects(ask(), { class: 'auth', message: /answered 401/ });
  t.match(await ask(), { families: [{ name: 'a' }] });
  t.equal(given.length, 2);
});

test('no token, no request', async (t) => {
  const { answers, ask } = await world(t);
  answers.status = 400;
  await t.rejects(ask(), { class: 'auth', message: /no token: .*\/token answered 400.*; check client_id/ });
  answers.status = 200;
  for (const body of ['{}', 'null', '<html>', '{"access_token": 7}']) {
    answers.body = body;
    await t.rejects(ask(), { class: 'auth', message: /answered without access_token; check token_url/ });
  }
});
