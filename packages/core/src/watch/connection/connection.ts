/** Where the control service is and who we are to it. */

import type { Clock } from '../../clock/index.ts';
import { OutriggerError } from '../../errors/index.ts';
import type { Logger } from '../../log/index.ts';
import { hasControl, splitUrls } from '../config.ts';
import type { ControlConfig } from '../config.ts';
import { inCluster } from './in-cluster.ts';
import { fromKubeconfig } from './kubeconfig.ts';
import { MaterialReader } from './material.ts';
import type { Material } from './material.ts';
import { parseControlUrl } from './url.ts';
import type { ControlUrl } from './url.ts';

/** What each way of configuring a connection comes down to. */
export interface ConnectionSpec {
  readonly urls: readonly ControlUrl[];
  /** The namespace the credentials belong to: the kubeconfig context's or the pod's. */
  readonly namespace?: string;
  readonly token?: Material;
  readonly ca?: Material;
  readonly cert?: Material;
  readonly key?: Material;
  /** Name to expect in the server's certificate instead of the URL's host. */
  readonly serverName?: string;
  readonly skipVerify?: boolean;
}

/** Undefined fields fall to Node's defaults (its own certificate authorities, no client certificate). */
export interface TlsSettings {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly serverName: string | undefined;
  readonly rejectUnauthorized: boolean;
}

export interface ControlConnection {
  readonly urls: readonly ControlUrl[];
  readonly namespace: string | undefined;
  /** The Authorization header to send now. */
  authorization(): Promise<string | undefined>;
  /** For the next TLS handshake. */
  tls(): Promise<TlsSettings>;
  /** After a refusal of our credentials: look at the files again before the next request. */
  forget(): void;
}

export interface ConnectionDeps {
  readonly clock: Clock;
  readonly log: Logger;
}

/** Throws CONTROL_CONFIG, CONTROL_URL_INVALID, CONTROL_CREDENTIALS or KUBECONFIG_INVALID. */
export async function resolveConnection(
  config: ControlConfig,
  deps: ConnectionDeps,
): Promise<ControlConnection> {
  return connectionOf(await specOf(config), deps);
}

export function connectionOf(spec: ConnectionSpec, deps: ConnectionDeps): ControlConnection {
  const reader = (what: string, source: Material | undefined): MaterialReader | undefined =>
    source === undefined ? undefined : new MaterialReader(what, source, deps);
  const token = reader('bearer token', spec.token);
  const ca = reader('certificate authority', spec.ca);
  const cert = reader('client certificate', spec.cert);
  const key = reader('client key', spec.key);
  return {
    urls: spec.urls,
    namespace: spec.namespace,
    authorization: async () => {
      const text = (await token?.read())?.trim();
      return text === undefined || text === '' ? undefined : `Bearer ${text}`;
    },
    tls: async () => ({
      ca: await ca?.read(),
      cert: await cert?.read(),
      key: await key?.read(),
      serverName: spec.serverName,
      rejectUnauthorized: spec.skipVerify !== true,
    }),
    forget: () => {
      for (const each of [token, ca, cert, key]) each?.forget();
    },
  };
}

async function specOf(config: ControlConfig): Promise<ConnectionSpec> {
  const ways = [
    (config.control?.length ?? 0) > 0,
    config.kubeconfig !== undefined,
    config.inCluster === true,
  ];
  if (!hasControl(config))
    throw wrong('no control connection is configured', 'give --control, --kubeconfig or --in-cluster');
  if (ways.filter(Boolean).length > 1) {
    throw wrong(
      'more than one control connection is configured',
      'give one of --control, --kubeconfig and --in-cluster',
    );
  }
  if (config.kubeconfig !== undefined) return fromKubeconfig(config.kubeconfig, config.context);
  return config.inCluster === true ? inCluster(config) : fromUrls(config);
}

function fromUrls(config: ControlConfig): ConnectionSpec {
  const { controlCa, controlTokenFile, controlCert, controlKey } = config;
  if ((controlCert === undefined) !== (controlKey === undefined)) {
    throw wrong('a client certificate needs its key', 'give --control-cert and --control-key together');
  }
  return {
    urls: splitUrls(config.control ?? []).map(parseControlUrl),
    ...(controlCa === undefined ? {} : { ca: { file: controlCa } }),
    ...(controlTokenFile === undefined ? {} : { token: { file: controlTokenFile } }),
    ...(controlCert === undefined ? {} : { cert: { file: controlCert } }),
    ...(controlKey === undefined ? {} : { key: { file: controlKey } }),
  };
}

function wrong(message: string, hint: string): OutriggerError {
  return new OutriggerError(message, { code: 'CONTROL_CONFIG', hint });
}
