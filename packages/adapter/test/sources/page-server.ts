/** An HTTP server for tests that answers every request with what the test says. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Teardown } from '../../../../test/harness/index.ts';

export interface PageServer {
  readonly url: string;
  status: number;
  text: string;
}

export async function pageServer(t: Teardown, text: string): Promise<PageServer> {
  const server = createServer((_, response) => {
    response.writeHead(page.status, { 'content-type': 'text/plain' }).end(page.text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const page: PageServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/status`,
    status: 200,
    text,
  };
  return page;
}

/** What the schema makes of an absent `http`. */
export const defaultHttp = { insecureSkipVerify: false, followRedirects: true, maxBodySize: '10MiB' };
