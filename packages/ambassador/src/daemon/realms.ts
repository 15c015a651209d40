/** The realms of a configuration: the one for all keys, and one for each key prefix that goes elsewhere. */

import type { Policy, Routes } from '../session/ports.ts';
import type { Secrets } from '../access/secrets.ts';
import { openRealm } from '../topology/open.ts';
import type { RealmDeps, RealmSource } from '../topology/open.ts';
import type { Realm, RealmEvents, Shard } from '../topology/realm.ts';
import type { Credentials } from '../upstream/credentials.ts';
import type { DialTls } from '../upstream/server-tls.ts';
import type { AmbassadorConfig, Login, UpstreamSpec } from './config.ts';

interface Opened {
  /** Undefined: of every key that no prefix claims. */
  readonly prefix: Buffer | undefined;
  readonly realm: Realm;
  readonly login: Login;
}

export class Realms implements Routes {
  readonly #opened: readonly Opened[];
  #secrets: Secrets;
  #tls: () => DialTls | undefined;
  #config: AmbassadorConfig;

  /** Resolves when every server has been asked once. Throws what opening throws, after closing what was open. */
  static async open(
    config: AmbassadorConfig,
    secrets: Secrets,
    tls: () => DialTls | undefined,
    deps: Omit<RealmDeps, 'credentials' | 'tls'>,
    events: RealmEvents,
  ): Promise<Realms> {
    const wanted = [
      ...config.routes.map(({ prefix, upstream, login }) => ({ prefix, upstream, login })),
      { prefix: undefined, upstream: config.upstream, login: config.login },
    ];
    const opened: Opened[] = [];
    const realms = new Realms(config, secrets, tls, opened);
    try {
      for (const { prefix, upstream, login } of wanted) {
        const name = prefix === undefined ? 'default' : `prefix ${prefix.toString('latin1')}`;
        const source = { ...sourceOf(upstream, secrets), name, maxLagMs: () => realms.#config.maxLagMs };
        const credentials = (): Credentials | undefined => realms.#secrets.credentials(login);
        const own = { ...deps, credentials, tls: () => realms.#tls() };
        opened.push({ prefix, login, realm: await openRealm(source, own, events) });
      }
    } catch (error) {
      for (const { realm } of opened) realm.close();
      throw error;
    }
    return realms;
  }

  private constructor(
    config: AmbassadorConfig,
    secrets: Secrets,
    tls: () => DialTls | undefined,
    opened: readonly Opened[],
  ) {
    this.#config = config;
    this.#secrets = secrets;
    this.#tls = tls;
    this.#opened = opened;
  }

  get all(): readonly Realm[] {
    return this.#opened.map(({ realm }) => realm);
  }

  get several(): boolean {
    return this.#opened.length > 1;
  }

  /** Follows a reload that leaves the servers as they are. */
  follow(config: AmbassadorConfig, secrets: Secrets, tls: () => DialTls | undefined): void {
    this.#config = config;
    this.#secrets = secrets;
    this.#tls = tls;
  }

  realmOf(key: Uint8Array | undefined): Realm {
    const rest = this.#opened.at(-1) as Opened;
    if (key === undefined || this.#opened.length === 1) return rest.realm;
    return (this.#opened.find(({ prefix }) => prefix !== undefined && startsWith(key, prefix)) ?? rest).realm;
  }

  policyOf(shard: Shard): Policy {
    if (this.#opened.length === 1) return this.#config;
    const at = this.#opened.findIndex(({ realm }) => realm.shards.includes(shard));
    return this.#config.routes[at] ?? this.#config;
  }

  /** Whether it is a shard's primary, verified or not. */
  isPrimary(server: string): boolean {
    return this.all.some(({ shards }) => shards.some(({ topology }) => topology.primary.name === server));
  }

  /** Every server that some realm has, the primary that is doubted or given up included. */
  get serverNames(): ReadonlySet<string> {
    const names = new Set<string>();
    for (const { shards } of this.all) {
      for (const { primary, topology } of shards) {
        if (primary !== undefined) names.add(primary.name);
        names.add(topology.primary.name);
        for (const { name } of topology.replicas) names.add(name);
      }
    }
    return names;
  }

  /** How to log in at a server. */
  credentials(server: string): Credentials | undefined {
    const has = ({ realm }: Opened): boolean =>
      realm.shards.some((shard) => shard.primary?.name === server || shard.server(server) !== undefined);
    const rest = this.#opened.at(-1) as Opened;
    return this.#secrets.credentials((this.#opened.find(has) ?? rest).login);
  }

  close(): void {
    for (const { realm } of this.#opened) realm.close();
  }
}

function sourceOf(upstream: UpstreamSpec, secrets: Secrets): RealmSource {
  if (upstream.kind !== 'sentinel') return upstream;
  const { sentinelLogin, ...rest } = upstream;
  return { ...rest, sentinelCredentials: () => secrets.credentials(sentinelLogin) };
}

function startsWith(key: Uint8Array, prefix: Uint8Array): boolean {
  if (key.length < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (key[i] !== prefix[i]) return false;
  return true;
}
