/** The demo's mesh: control service, three registered backends, proxy, ambassador before a real Redis, adapter. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child, outriggerReady } from './child.ts';
import { freePort } from './free-port.ts';
import { findRedis, startRedis } from './redis.ts';
import type { DemoRedis } from './redis.ts';

const main = join(import.meta.dirname, '../main.js');
const backendFile = join(import.meta.dirname, 'backend.js');

export interface DemoPorts {
  readonly control: number;
  readonly web: number;
  readonly redis: number;
  readonly scrape: number;
}

/** What people type by hand; another free port where one is taken. */
export const friendlyPorts: DemoPorts = { control: 7080, web: 8080, redis: 6380, scrape: 9102 };
export const anyPorts: DemoPorts = { control: 0, web: 0, redis: 0, scrape: 0 };

export interface MeshEvents {
  readonly onProgress: (text: string) => void;
  readonly onLine: (name: string, line: string) => void;
}

export class DemoMesh {
  readonly folder = mkdtempSync(join(tmpdir(), 'outrigger-demo-'));
  readonly backends = new Map<string, Child>();
  readonly #events: MeshEvents;
  readonly #others: Child[] = [];
  controlPort = 0;
  control: Child | undefined;
  proxy: Child | undefined;
  adapter: Child | undefined;
  ambassador: Child | undefined;
  redis: DemoRedis | undefined;

  constructor(events: MeshEvents) {
    this.#events = events;
  }

  get controlUrl(): string {
    return `http://127.0.0.1:${this.controlPort}`;
  }

  async start(ports: DemoPorts): Promise<void> {
    const { onProgress } = this.#events;
    this.controlPort = await freePort(ports.control);
    onProgress('starting the control service');
    await this.startControl();
    onProgress('starting the adapter');
    this.adapter = await this.#role('adapter', [
      ...[
        '--listen',
        `127.0.0.1:${await freePort(ports.scrape)}`,
        '--admin',
        '127.0.0.1:0',
        '--statsd-udp',
        '127.0.0.1:0',
        '--statsd-tcp',
        '',
      ],
      ...['--control', this.controlUrl],
    ]);
    onProgress('registering three backends');
    await Promise.all(['web-1', 'web-2', 'web-3'].map((name) => this.startBackend(name)));
    onProgress('starting the proxy');
    const web = await freePort(ports.web);
    this.proxy = await this.startProxy(web);
    await this.#startRedis(ports, onProgress);
  }

  async startControl(): Promise<void> {
    this.control = await this.#role('control', [
      ...['--listen', `127.0.0.1:${this.controlPort}`, '--data', join(this.folder, 'control')],
      '--allow-loopback-endpoints',
    ]);
  }

  startProxy(port: number): Promise<Child> {
    return this.#role('proxy', [
      ...[
        '--control',
        this.controlUrl,
        '--publish',
        `default/web:http=127.0.0.1:${port}`,
        '--admin',
        '127.0.0.1:0',
      ],
      ...['--state-dir', join(this.folder, 'proxy')],
    ]);
  }

  /** A backend registers itself: `outrigger register … -- APP`. */
  async startBackend(name: string): Promise<void> {
    const port = await freePort();
    const statsd = this.adapter?.addresses['statsd-udp'] ?? '';
    const child = await this.#role(
      'register',
      [
        ...['--control', this.controlUrl, '--service', 'default/web', '--create-service', '--name', name],
        ...[
          '--ports',
          `${port}:http`,
          '--address',
          '127.0.0.1',
          '--http-probe',
          '/healthz',
          '--probe-period',
          '1s',
        ],
        ...['--', process.execPath, backendFile, name, String(port), statsd],
      ],
      name,
    );
    this.backends.set(name, child);
  }

  /** Ends everything, in the order that loses nothing, and removes the folder. */
  async stop(): Promise<void> {
    await Promise.all([this.proxy?.stop(), this.ambassador?.stop()]);
    await Promise.all([...this.backends.values()].map((child) => child.stop()));
    await this.adapter?.stop();
    await this.control?.stop();
    await Promise.all((this.redis?.children ?? []).map((child) => child.stop()));
    await Promise.all(this.#others.map((child) => child.stop()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #startRedis(ports: DemoPorts, onProgress: (text: string) => void): Promise<void> {
    const binary = findRedis();
    if (binary === undefined) {
      onProgress(
        'redis-server is not installed: the demo goes on without the ambassador (apt-get install redis-server)',
      );
      return;
    }
    onProgress('starting Redis, a primary and a replica, and the ambassador before them');
    this.redis = await startRedis(binary, this.folder, this.#events.onLine);
    this.ambassador = await this.#role('ambassador', [
      ...[
        '--listen',
        `127.0.0.1:${await freePort(ports.redis)}`,
        '--admin',
        '127.0.0.1:0',
        '--control',
        this.controlUrl,
      ],
      ...['--primary', this.redis.primary, '--replica', this.redis.replica],
    ]);
  }

  async #role(role: string, args: readonly string[], name = role): Promise<Child> {
    const child = await Child.start({
      name,
      command: process.execPath,
      args: [main, role, '--log-format', 'text', ...args],
      ready: outriggerReady,
      onLine: this.#events.onLine,
    });
    this.#others.push(child);
    return child;
  }
}
