/** The processes that chaos happens to: a control service, a proxy, backends, an ambassador before a real Redis. */

import http from 'node:http';
import { join } from 'node:path';
import { freePort, startProcess, startRedis, tempDir, tool } from '../harness/index.ts';
import type { Redis, RunningProcess, Teardown } from '../harness/index.ts';

const main = join(import.meta.dirname, '../../packages/cli/dist/main.js');
const ready = /"msg":"ready".*\n/;

export interface Backend {
  readonly name: string;
  readonly port: number;
  readonly server: http.Server;
}

export class World {
  readonly #t: Teardown;
  readonly folder: string;
  readonly backends: Backend[] = [];
  controlPort = 0;
  webPort = 0;
  control: RunningProcess | undefined;
  proxy: RunningProcess | undefined;
  ambassador: RunningProcess | undefined;
  redis: { readonly primary: Redis; readonly replica: Redis } | undefined;
  redisPort = 0;
  /** While the proxy restarts nobody can connect to it, and nobody promised otherwise. */
  proxyDown = false;

  constructor(t: Teardown) {
    this.#t = t;
    this.folder = tempDir(t);
  }

  get api(): string {
    return `http://127.0.0.1:${this.controlPort}`;
  }

  async start(): Promise<void> {
    this.controlPort = await freePort();
    this.webPort = await freePort();
    await this.startControl();
    await this.post('/api/v1/namespaces/default/services', {
      kind: 'Service',
      apiVersion: 'v1',
      metadata: { name: 'web' },
      spec: { ports: [{ name: 'http', port: 80 }] },
    });
    for (const name of ['a', 'b', 'c']) await this.addBackend(name);
    await this.startProxy();
    await this.#startRedis();
  }

  async startControl(): Promise<void> {
    this.control = await this.#outrigger('control', [
      ...['--listen', `127.0.0.1:${this.controlPort}`, '--data', join(this.folder, 'control')],
      '--allow-loopback-endpoints',
    ]);
  }

  async startProxy(): Promise<void> {
    this.proxy = await this.#outrigger('proxy', [
      ...['--control', this.api, '--publish', `default/web:http=127.0.0.1:${this.webPort}`],
      ...['--admin', '127.0.0.1:0', '--state-dir', join(this.folder, 'proxy'), '--drain-timeout', '3s'],
    ]);
  }

  async addBackend(name: string): Promise<void> {
    const server = http.createServer((_request, response) => response.end(name));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#t.teardown(() => server.closeAllConnections());
    this.#t.teardown(() => server.close());
    this.backends.push({ name, port: (server.address() as { port: number }).port, server });
    await this.writeEndpoints(this.backends);
  }

  /** One slice per backend, since each listens on a port of its own. */
  async writeEndpoints(present: readonly Backend[]): Promise<void> {
    const path = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
    for (const { name, port } of this.backends) {
      const here = present.some((one) => one.name === name);
      const body = {
        kind: 'EndpointSlice',
        apiVersion: 'discovery.k8s.io/v1',
        metadata: { name: `web-${name}`, labels: { 'kubernetes.io/service-name': 'web' } },
        addressType: 'IPv4',
        ports: [{ name: 'http', protocol: 'TCP', port }],
        endpoints: here ? [{ addresses: ['127.0.0.1'], conditions: { ready: true } }] : [],
      };
      const patched = await this.send('PATCH', `${path}/web-${name}`, body, 'application/merge-patch+json');
      if (patched.status === 404) await this.post(path, body);
    }
  }

  async post(path: string, body: unknown): Promise<void> {
    const answer = await this.send('POST', path, body);
    if (answer.status >= 300) throw new Error(`POST ${path}: ${answer.status} ${answer.text}`);
  }

  async send(
    method: string,
    path: string,
    body?: unknown,
    type = 'application/json',
  ): Promise<{ status: number; text: string }> {
    const response = await fetch(`${this.api}${path}`, {
      method,
      headers: { 'content-type': type },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(5000),
    });
    return { status: response.status, text: await response.text() };
  }

  async #startRedis(): Promise<void> {
    if (tool('redis-server').missing !== undefined) return;
    const primary = await startRedis(this.#t);
    const replica = await startRedis(this.#t, { replicaOf: primary });
    this.redis = { primary, replica };
    this.redisPort = await freePort();
    this.ambassador = await this.#outrigger('ambassador', [
      ...['--listen', `127.0.0.1:${this.redisPort}`, '--admin', '127.0.0.1:0'],
      ...['--primary', `127.0.0.1:${primary.port}`, '--replica', `127.0.0.1:${replica.port}`],
    ]);
  }

  #outrigger(role: string, args: readonly string[]): Promise<RunningProcess> {
    return startOutrigger(this.#t, role, args);
  }
}

/** A daemon as users run it; resolves when it is ready. */
export function startOutrigger(t: Teardown, role: string, args: readonly string[]): Promise<RunningProcess> {
  return startProcess(t, process.execPath, [main, role, ...args], { ready, readyTimeoutMs: 20_000 });
}
