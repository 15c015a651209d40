import { test } from 'tap';
import type { SourceHttp } from '@outrigger/core/api';
import { prometheusSource } from '../../src/prometheus/source.ts';
import { asked, serve } from '../http/servers.ts';

const http: SourceHttp = { insecureSkipVerify: false, followRedirects: true, maxBodySize: '1MiB' };
const spec = (url: string): Parameters<typeof prometheusSource>[0] => ({
  url,
  http,
  sourceLabel: 'source',
  honorLabels: true,
});

test('asks as Prometheus does and passes on what it said', async (t) => {
  const seen: unknown[] = [];
  const server = await serve(t, (request, response) => {
    seen.push(request.headers.accept, request.headers['x-prometheus-scrape-timeout-seconds'], request.url);
    response.setHeader('content-type', 'application/openmetrics-text; version=1.0.0; charset=utf-8');
    response.end('# TYPE a counter\na_total 1 1520879607.789\n# EOF\n');
  });
  const place = { address: `${server.url}path?x=1`, labels: {} };
  const source = prometheusSource(spec('http://svc:default/web:metrics/path?x=1'), place, {});
  t.teardown(() => source.close());
  const { families } = await source.collect(asked(2500));
  t.match(families, [{ name: 'a_total', type: 'counter', samples: [{ suffix: '', value: 1 }] }]);
  t.match(seen[0], /^application\/openmetrics-text;version=1\.0\.0;.*text\/plain;version=0\.0\.4/);
  t.same(seen.slice(1), ['2.5', '/path?x=1']);
});

test('a page that is none says so with its line', async (t) => {
  const server = await serve(t, (_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!DOCTYPE html>');
  });
  const source = prometheusSource(spec(server.url), { address: server.url, labels: {} }, {});
  t.teardown(() => source.close());
  await t.rejects(source.collect(asked()), {
    class: 'parse',
    message:
      /^http:\/\/127\.0\.0\.1:\d+\/ \(text\/html\): line 1: want a name, .*; is it a Prometheus page\?$/,
  });
});

test('URLs that cannot be asked are refused at once', (t) => {
  const make = (url: string) => () => prometheusSource(spec(url), { address: url, labels: {} }, {});
  t.throws(make('ftp://x/'), { code: 'CONFIG_INVALID', message: /is no http\(s\) URL/ });
  t.throws(make('nothing'), { code: 'CONFIG_INVALID' });
  t.throws(make('http://user:secret@x/'), {
    code: 'CONFIG_INVALID',
    message: /^(?!.*secret).*password in it/,
  });
  t.end();
});
