import { test } from 'tap';
import { version } from '@outrigger/core/lifecycle';
import { startControl } from '../harness.ts';

test('probes, in short and in full', async (t) => {
  const control = await startControl(t);
  for (const path of ['/healthz', '/livez', '/readyz'])
    t.match(await control.get(path), { status: 200, text: 'ok' });
  t.equal(
    (await control.get('/readyz?verbose')).text,
    '[+]ping ok\n[+]watch-cache ok\n[+]store ok\nreadyz check passed\n',
  );
});

test('the version is one whose parts are numbers', async (t) => {
  const control = await startControl(t);
  const { body } = await control.get('/version');
  t.match(body, { major: /^\d+$/, minor: /^\d+$/, gitVersion: `v1.35.0+outrigger-${version}` });
});

test('answers are indented for people', async (t) => {
  const control = await startControl(t);
  const curl = await control.get('/version', { 'user-agent': 'curl/8.0' });
  t.match(curl.text, /^\{\n {2}"major"/);
  t.notMatch((await control.get('/version?pretty=false', { 'user-agent': 'curl/8.0' })).text, /\n {2}/);
  t.match((await control.get('/version?pretty=true')).text, /\n {2}"major"/);
});

test('metrics: requests, watches, cache and store', async (t) => {
  const control = await startControl(t);
  await control.get('/api/v1/services');
  const { headers, text } = await control.get('/metrics');
  t.match(headers['content-type'], 'text/plain; version=0.0.4');
  t.match(text, /outrigger_control_request_total\{verb="list",resource="services",code="200"\} 1\n/);
  t.match(text, /outrigger_control_request_duration_seconds_count\{verb="list",resource="services"\} 1\n/);
  t.match(text, /outrigger_control_cache_revision 5\n/);
  t.match(text, /outrigger_control_objects\{resource="namespaces"\} 4\n/);
  t.match(text, /outrigger_control_store_commit_duration_seconds_count \d+/);
});

test('the root lists what there is', async (t) => {
  const control = await startControl(t);
  const { paths } = (await control.get('/')).body as { paths: string[] };
  for (const path of ['/api', '/apis', '/healthz', '/metrics', '/openapi/v3', '/version'])
    t.ok(paths.includes(path), path);
});
