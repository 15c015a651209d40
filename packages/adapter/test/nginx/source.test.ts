import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import type { Test } from 'tap';
import { freePort, needs, startProcess, tempDir, toolPath } from '../../../../test/harness/index.ts';
import { nginxSource } from '../../src/nginx/source.ts';
import { SourceError } from '../../src/sources/source.ts';
import type { Source } from '../../src/sources/source.ts';
import { defaultHttp, pageServer } from '../sources/page-server.ts';
import { samplesOf, samplesOfText, typesOfText } from '../sources/page-text.ts';

const good =
  'Active connections: 291 \nserver accepts handled requests\n 16630948 16630947 31070465 \n' +
  'Reading: 6 Writing: 179 Waiting: 106 \n';

function sourceAt(t: Test, url: string): Source {
  const source = nginxSource({ url, http: defaultHttp }, { address: url, labels: {} }, {});
  t.teardown(() => source.close());
  return source;
}

const asked = () => ({ signal: AbortSignal.timeout(10_000), leftMs: 10_000 });

test('every number of the page under its name', async (t) => {
  for (const text of [good, good.replaceAll('\n', '\r\n'), good.trimEnd()]) {
    const { url } = await pageServer(t, text);
    const { families } = await sourceAt(t, url).collect(asked());
    t.same(Object.fromEntries(samplesOf(families)), {
      nginx_up: 1,
      nginx_connections_active: 291,
      nginx_connections_accepted: 16630948,
      nginx_connections_handled: 16630947,
      nginx_http_requests_total: 31070465,
      nginx_connections_reading: 6,
      nginx_connections_writing: 179,
      nginx_connections_waiting: 106,
    });
  }
});

test('another page, an empty one and an error show nginx_up 0 and nothing else', async (t) => {
  const page = await pageServer(t, good);
  const source = sourceAt(t, page.url);
  const failure = async (): Promise<SourceError> => {
    const error = await source.collect(asked()).catch((thrown: unknown) => thrown);
    if (!(error instanceof SourceError)) throw new Error('it answered');
    t.same([...samplesOf(error.families)], [['nginx_up', 0]]);
    return error;
  };
  for (const text of ['', '<html>welcome</html>', good.slice(0, 80), `${good}x`]) {
    page.text = text;
    t.equal((await failure()).class, 'parse', JSON.stringify(text));
  }
  page.status = 503;
  t.equal((await failure()).class, 'status');
});

test(
  'a real nginx, compared with nginx-prometheus-exporter',
  needs('nginx', 'prometheus-nginx-exporter'),
  async (t) => {
    const port = await freePort();
    const folder = tempDir(t);
    const config = join(folder, 'nginx.conf');
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    writeFileSync(
      config,
      `worker_processes 1; daemon off; pid ${folder}/pid; error_log stderr crit; events {}
       http { access_log off; ${temporary.map((name) => `${name}_temp_path ${folder};`).join(' ')}
         server { listen 127.0.0.1:${port}; location /status { stub_status; } } }`,
    );
    await startProcess(t, toolPath('nginx'), ['-c', config, '-p', folder], { ready: { port } });
    const url = `http://127.0.0.1:${port}/status`;
    const exporterPort = await freePort();
    const args = [`-web.listen-address=127.0.0.1:${exporterPort}`, `-nginx.scrape-uri=${url}`];
    await startProcess(t, toolPath('prometheus-nginx-exporter'), args, { ready: { port: exporterPort } });
    const page = await (await fetch(`http://127.0.0.1:${exporterPort}/metrics`)).text();
    const { families } = await sourceAt(t, url).collect(asked());
    const theirs = [...samplesOfText(page).keys()].filter((key) => key.startsWith('nginx_'));
    t.ok(theirs.length >= 8);
    t.same([...samplesOf(families).keys()].sort(), theirs.sort());
    const types = [...typesOfText(page)].filter(([name]) => name.startsWith('nginx_'));
    t.same(families.map(({ name, type }) => [name, type]).sort(), types.sort());
  },
);
