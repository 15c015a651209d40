/** The scrape page: collected series and `outrigger_adapter_*`, nothing else. */

import { BlockPool, PageWriter, textFormat } from '@outrigger/core/exposition';
import type { Deps } from '@outrigger/core/lifecycle';
import { http, warnOfExposure } from '@outrigger/core/net';
import type { Listener } from '@outrigger/core/net';
import type { ServerResponse } from 'node:http';
import type { SeriesRegistry } from '../series/registry.ts';
import { writeStored } from '../series/render.ts';
import type { AdapterConfig } from './config.ts';

export interface ScrapePage {
  readonly name: string;
  close(): void;
}

export async function servePage(
  config: AdapterConfig,
  collected: SeriesRegistry,
  self: SeriesRegistry,
  deps: Deps,
): Promise<ScrapePage> {
  const server = http.createServer({ requestTimeout: 10_000 }, (request, response) => {
    const path = (request.url ?? '/').split('?')[0];
    if (request.method !== 'GET' && request.method !== 'HEAD') answer(response, 405, 'use GET\n');
    else if (path === '/metrics')
      void scrape(collected, self, deps).then((body) => answer(response, 200, body, textFormat.contentType));
    else if (path === '/')
      answer(response, 200, 'Outrigger adapter: the collected metrics are at /metrics\n');
    else answer(response, 404, 'the collected metrics are at /metrics\n');
  });
  const listener: Listener = await deps.net.listen(server, config.listen);
  warnOfExposure(deps.log, 'scrape', listener.address);
  return {
    name: listener.name,
    close: () => {
      listener.close();
      server.closeAllConnections();
    },
  };
}

async function scrape(collected: SeriesRegistry, self: SeriesRegistry, deps: Deps): Promise<Buffer> {
  const out = new PageWriter(new BlockPool());
  const started = deps.clock.now();
  const release = collected.hold();
  for (const family of collected.families())
    await writeStored(collected, family, out, textFormat, () => undefined);
  release();
  const gauge = (name: string, help: string, value: number): void =>
    self.set(self.open({ name, type: 'gauge', help, labels: [], source: 'self', ttlMs: 0 }), value);
  gauge('outrigger_adapter_series', 'Series collected now; the limit is maxSeries.', collected.size);
  const seconds = (deps.clock.now() - started) / 1000;
  gauge('outrigger_adapter_render_seconds', 'Time the last page of collected series took to write.', seconds);
  for (const family of self.families()) await writeStored(self, family, out, textFormat, () => undefined);
  return Buffer.concat(out.finish());
}

function answer(
  response: ServerResponse,
  status: number,
  body: string | Buffer,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
