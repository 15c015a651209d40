/** How a daemon reaches the control service: the fields that every configuration with a control connection shares. */

import { boolean, list, string } from '../api/build.ts';
import type { Check } from '../config/index.ts';
import { parseControlUrl } from './connection/url.ts';

/** Spread into the schema of a daemon: each field is the flag of the same name. */
export const controlConnectionFields = {
  control: list(
    string(),
    'URLs of the control service or a Kubernetes API server (http, https or unix:/path); with several, the first that ' +
      'answers is kept until it fails',
  ),
  controlCa: string('file with the certificates that the server’s certificate is checked against'),
  controlTokenFile: string('file with the bearer token to present; read again when it changes'),
  controlCert: string('file with the client certificate to present'),
  controlKey: string('file with the key of the client certificate'),
  kubeconfig: string('kubeconfig file that says how to reach the API server, instead of control URLs'),
  context: string('context of the kubeconfig to use instead of its current one'),
  inCluster: boolean('reach the API server as a pod does: by its service account', { default: false }),
  namespace: list(string(), 'watch only these namespaces; all when none is given'),
  shrinkHold: string(
    'how long removals wait when a list after a lost watch would take away most endpoints of a Service; 0 applies them ' +
      'at once',
    { format: 'duration', default: '30s' },
  ),
};

export const controlConnectionChecks: Readonly<Record<string, Check>> = {
  control: (value) => {
    for (const url of splitUrls([String(value)])) parseControlUrl(url);
  },
};

/** The values of `controlConnectionFields`, with what only the command knows. */
export interface ControlConfig {
  readonly control?: readonly string[];
  readonly controlCa?: string;
  readonly controlTokenFile?: string;
  readonly controlCert?: string;
  readonly controlKey?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly inCluster?: boolean;
  /**
   * `HOST:PORT` from KUBERNETES_SERVICE_HOST and _PORT, which only the command may read. Default
   * `kubernetes.default.svc:443`.
   */
  readonly inClusterAddress?: string;
  /** Where the pod's token, CA and namespace are mounted; for tests. */
  readonly serviceAccountDir?: string;
  readonly namespace?: readonly string[];
  readonly stateDir?: string;
  /** A duration such as `30s`. */
  readonly shrinkHold?: string;
}

/** True when the configuration says how to reach a control service at all. */
export function hasControl(config: ControlConfig): boolean {
  return (config.control?.length ?? 0) > 0 || config.kubeconfig !== undefined || config.inCluster === true;
}

/** `--control A,B --control C` is three URLs. */
export function splitUrls(values: readonly string[]): string[] {
  return values
    .flatMap((value) => value.split(','))
    .map((url) => url.trim())
    .filter((url) => url !== '');
}
