/** Daemons in the test's own process, configured as the command line would, and an API client to go with them. */

import { controlDaemon } from '@outrigger/control';
import { loadConfig } from '@outrigger/core/config';
import type { Daemon, DaemonDefinition, Deps } from '@outrigger/core/lifecycle';
import { testDeps } from '@outrigger/core/testing';
import type { TestDeps } from '@outrigger/core/testing';
import { createApiClient, resolveConnection } from '@outrigger/core/watch';
import type { ApiClient } from '@outrigger/core/watch';
import { proxyDaemon } from '@outrigger/proxy';
import { join } from 'node:path';
import { tempDir } from '../../harness/index.ts';
import type { Teardown } from '../../harness/index.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface Running {
  readonly daemon: Daemon;
  readonly deps: TestDeps;
}

/** What `reload` takes: checked values as the daemon's configuration. */
export function configOf<Config>(definition: DaemonDefinition<Config>, document: Fields): Config {
  const { schema, checks, role } = definition;
  const source = { name: `${role} of a test`, document };
  return definition.parse(loadConfig({ schema, checks, args: [], environment: {}, source }).values);
}

export async function start<Config>(
  t: Teardown,
  definition: DaemonDefinition<Config>,
  document: Fields,
  replaced: Partial<Deps> = {},
): Promise<Running> {
  const deps = testDeps(replaced);
  const daemon = await definition.start(configOf(definition, document), deps);
  t.teardown(() => daemon.close());
  return { daemon, deps };
}

/** A control service that may go and come back at the same place, empty or with what it held. */
export class Control {
  readonly url: string;
  readonly #t: Teardown;
  readonly #document: Fields;
  #daemon: Daemon | undefined;

  constructor(t: Teardown, store: 'memory' | 'sqlite' = 'memory') {
    const dir = tempDir(t);
    const listen = `unix:${join(dir, 'control.sock')}`;
    this.#t = t;
    this.#document = {
      listen,
      allowLoopbackEndpoints: true,
      ...(store === 'memory' ? { memory: true } : { data: join(dir, 'data') }),
    };
    this.url = listen;
  }

  async start(): Promise<this> {
    this.#daemon = (await start(this.#t, controlDaemon, this.#document)).daemon;
    return this;
  }

  async stop(): Promise<void> {
    await this.#daemon?.close();
    this.#daemon = undefined;
  }

  async client(): Promise<ApiClient> {
    const deps = testDeps();
    const connection = await resolveConnection({ control: [this.url] }, deps);
    const client = createApiClient(connection, { userAgent: 'test' }, deps);
    this.#t.teardown(() => client.close());
    return client;
  }

  /** The proxy's configuration document with this control service in it. */
  proxyDocument(publish: readonly string[], more: Fields = {}): Fields {
    return { control: [this.url], admin: '127.0.0.1:0', publish, nodeName: 'test-node', ...more };
  }

  proxy(publish: readonly string[], more: Fields = {}, replaced: Partial<Deps> = {}): Promise<Running> {
    return start(this.#t, proxyDaemon, this.proxyDocument(publish, more), replaced);
  }
}
