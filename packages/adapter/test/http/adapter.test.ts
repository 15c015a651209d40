/** The whole adapter with sources that fail in every way over HTTP: each fails alone, and the page stands. */

import { adapterDaemon } from '@outrigger/adapter';
import { applySchemaDefaults, metricsAdapterSpec } from '@outrigger/core/api';
import { loadConfig } from '@outrigger/core/config';
import { testDeps } from '@outrigger/core/testing';
import { test } from 'tap';
import type { Test } from 'tap';
import { freePort } from '../../../../test/harness/index.ts';
import { bodyOf, serve } from './servers.ts';

interface RunningAdapter {
  /** The page, by a scrape that waits for so many seconds at most. */
  readonly page: (seconds: number) => Promise<string>;
  readonly probe: (target: string, module: string) => Promise<Response>;
}

async function adapter(t: Test, given: object): Promise<RunningAdapter> {
  const document: Record<string, unknown> = {
    ...{ listen: '127.0.0.1:0', admin: '127.0.0.1:0', statsdUdp: '', statsdTcp: '' },
    ...given,
  };
  applySchemaDefaults(metricsAdapterSpec, document);
  const { schema, checks, parse, start } = adapterDaemon;
  const source = { name: 'test', document };
  const daemon = await start(
    parse(loadConfig({ schema, checks, args: [], environment: {}, source }).values),
    testDeps(),
  );
  t.teardown(() => daemon.close());
  const base = `http://${daemon.addresses['scrape']}`;
  return {
    page: async (seconds) => {
      const headers = { 'x-prometheus-scrape-timeout-seconds': String(seconds) };
      return (await fetch(`${base}/metrics`, { headers })).text();
    },
    probe: (target, module) =>
      fetch(`${base}/probe?target=${encodeURIComponent(target)}&module=${encodeURIComponent(module)}`),
  };
}

test('sources that hang, break, grow, point elsewhere or are gone cost themselves alone', async (t) => {
  const chunk = Buffer.alloc(1 << 16, '1');
  const server = await serve(t, (request, response) => {
    switch (request.url) {
      case '/hang':
        return;
      case '/500':
        return void response.writeHead(500).end('{"depth": 1}');
      case '/huge': {
        const more = (): void => {
          while (!response.destroyed) if (!response.write(chunk)) return void response.once('drain', more);
        };
        return more();
      }
      case '/away':
        return void response.writeHead(302, { location: 'http://localhost:1/depth' }).end();
      case '/html':
        return void response.end('<html>');
      case '/twice':
        return void response.end('[{"id": "a", "depth": 1}, {"id": "a", "depth": 2}]');
      case '/metrics':
        return void response.end('# TYPE app_total counter\napp_total{code="200"} 5\n');
      case '/jolokia':
        return void bodyOf(request).then(() =>
          response.end('[{"status":200,"value":{"java.lang:type=Memory":{"HeapMemoryUsage":{"used":7}}}}]'),
        );
      default:
        return void response.end('{"depth": 3}');
    }
  });
  const json = (name: string, url = `${server.url}${name}`, module = 'one'): object => ({
    name,
    json: { url, module },
  });
  const gone = await freePort();
  const { page, probe } = await adapter(t, {
    modules: {
      one: { metrics: [{ name: 'depth', path: '{.depth}', valuetype: 'gauge' }] },
      list: {
        metrics: [
          {
            name: 'item',
            type: 'object',
            path: '$[*]',
            labels: { id: '{.id}' },
            values: { depth: '{.depth}' },
          },
        ],
      },
    },
    sources: [
      ...['hang', '500', 'huge', 'away', 'html', 'fine'].map((name) => json(name)),
      json('gone', `http://127.0.0.1:${gone}/`),
      json('no-module', `${server.url}fine`, 'nope'),
      json('twice', `${server.url}twice`, 'list'),
      { name: 'app', prometheus: { url: `${server.url}metrics` }, labels: { tier: 'web' } },
      { name: 'jvm', jolokia: { url: `${server.url}jolokia` } },
    ],
  });
  const text = await page(1.5);
  const up = Object.fromEntries(
    [...text.matchAll(/^outrigger_adapter_source_up\{[^}]*source="([^"]+)"[^}]*\} (\d)$/gm)].map(
      ([, name, value]) => [name, value],
    ),
  );
  t.same(up, {
    ...{ hang: '0', 500: '0', huge: '0', away: '0', html: '0', gone: '0', 'no-module': '0' },
    ...{ fine: '1', twice: '1', app: '1', jvm: '1' },
  });
  t.match(text, /^depth 3$/m);
  t.match(text, /^item_depth\{id="a"\} 1$/m);
  t.match(text, /^app_total\{.*code="200".*\} 5$/m);
  t.match(text, /^app_total\{.*source="app".*\} 5$/m);
  t.match(text, /^java_lang_Memory_HeapMemoryUsage_used 7$/m);
  const errors = text.split('\n').filter((line) => line.startsWith('outrigger_adapter_source_errors_total{'));
  const failure = (name: string): string | undefined =>
    /class="([^"]+)"/.exec(errors.find((line) => line.includes(`source="${name}"`)) ?? '')?.[1];
  t.same(
    ['hang', '500', 'huge', 'away', 'html', 'gone', 'no-module'].map((name) => [name, failure(name)]),
    [
      ['hang', 'timeout'],
      ['500', 'status'],
      ['huge', 'too-large'],
      ['away', 'redirect'],
      ['html', 'parse'],
      ['gone', 'refused'],
      ['no-module', 'internal'],
    ],
  );
  const probed = await probe(`${server.url}twice`, 'list');
  t.equal(probed.status, 200);
  t.match(await probed.text(), /^item_depth\{id="a"\} 1$/m);
});
