/** The proxy's configuration: its fields (which are its flags), and how their text becomes values. */

import { boolean, list, object, parseCIDR, string, daemonFields } from '@outrigger/core/api';
import type { Infer } from '@outrigger/core/api';
import { InvalidConfig } from '@outrigger/core/config';
import type { Check, Problem } from '@outrigger/core/config';
import { formatAddress, parseAddress } from '@outrigger/core/net';
import type { Address } from '@outrigger/core/net';
import { controlConnectionChecks, controlConnectionFields, hasControl } from '@outrigger/core/watch';
import type { ControlConfig } from '@outrigger/core/watch';
import type { Mode } from '../plan/index.ts';

export const proxySchema = object(
  {
    ...daemonFields,
    ...controlConnectionFields,
    admin: string('address of /healthz, /livez, /metrics and /debug', { default: '127.0.0.1:10256' }),
    mode: string('how traffic is carried: relayed by this process, or by kernel rules', {
      enum: ['userspace', 'nftables', 'iptables'],
      default: 'userspace',
    }),
    publish: list(
      string(),
      'NS/SERVICE[:PORT]=ADDR: listen on ADDR and balance over the endpoints of that Service port',
    ),
    nodeName: string(
      'name of this Node, for local endpoints, zones and traffic policies; the host name if absent',
    ),
    clusterCidr: list(string(), 'CIDRs of pods, to tell their traffic from that of strangers'),
    nodeportAddresses: list(string(), 'CIDRs of the addresses on which NodePorts answer'),
    dryRun: boolean('kernel modes: print the rules, apply nothing', { default: false }),
    presence: boolean('keep a Lease that says this proxy is here, against foreign API servers too', {
      default: false,
    }),
  },
  { required: ['admin', 'mode', 'drainTimeout', 'logLevel'] },
);
export type ProxySpec = Infer<typeof proxySchema>;

/** One `--publish`. */
export interface Publish {
  readonly namespace: string;
  readonly service: string;
  /** Name or number of the Service port; undefined: its only one. */
  readonly port: string | undefined;
  readonly address: Address;
  /** As in the ready line: `default/web:http`, `default/web`. */
  readonly name: string;
}

export interface ProxyConfig {
  readonly admin: Address;
  readonly mode: Mode;
  readonly publish: readonly Publish[];
  readonly nodeName: string;
  readonly clusterCidrs: readonly string[];
  readonly nodePortAddresses: readonly string[];
  readonly presence: boolean;
  readonly control: ControlConfig;
}

const isCidr: Check = (value) =>
  parseCIDR(String(value)) === undefined ? 'a CIDR, such as 10.0.0.0/8 or 2001:db8::/64' : undefined;

export const proxyChecks: Readonly<Record<string, Check>> = {
  ...controlConnectionChecks,
  admin: (value) => void parseAddress(String(value)),
  clusterCidr: isCidr,
  nodeportAddresses: isCidr,
  publish: (value) =>
    parsePublish(String(value)) === undefined ? 'NAMESPACE/SERVICE[:PORT]=ADDRESS' : undefined,
};

/** Throws InvalidConfig. `hostName` names the Node where the configuration does not. */
export function parseProxyConfig(values: Readonly<Record<string, unknown>>, hostName: string): ProxyConfig {
  const spec = values as ProxySpec;
  const problems: Problem[] = [];
  const publish = (spec.publish ?? []).map(parsePublish).filter((one) => one !== undefined);
  for (const twice of duplicates(publish.map((one) => one.name))) {
    problems.push({ path: '--publish', got: `${twice} twice`, want: 'each Service port once' });
  }
  if (spec.mode !== 'userspace') {
    problems.push({
      path: '--mode',
      got: spec.mode,
      want: 'userspace: this version programs no kernel rules',
    });
  }
  if (!hasControl(spec)) {
    problems.push({
      path: '--control',
      got: 'nothing',
      want: 'a control URL, --kubeconfig FILE or --in-cluster',
    });
  }
  if (problems.length > 0) throw new InvalidConfig(problems);
  return Object.freeze({
    admin: parseAddress(spec.admin),
    mode: spec.mode,
    publish,
    nodeName: spec.nodeName ?? hostName,
    clusterCidrs: spec.clusterCidr ?? [],
    nodePortAddresses: spec.nodeportAddresses ?? [],
    presence: spec.presence ?? false,
    control: controlOf(spec),
  });
}

/** Only what concerns the connection: whether that changed is asked on every reload. */
function controlOf(spec: ProxySpec): ControlConfig {
  const names = new Set([...Object.keys(controlConnectionFields), 'stateDir']);
  return Object.fromEntries(Object.entries(spec).filter(([name]) => names.has(name)));
}

function parsePublish(text: string): Publish | undefined {
  const match = /^([a-z0-9-]+)\/([a-z0-9.-]+)(?::([a-zA-Z0-9-]+))?=(.+)$/.exec(text);
  if (match === null) return undefined;
  const [, namespace = '', service = '', port, where = ''] = match;
  const address = parseAddress(where);
  const name = `${namespace}/${service}${port === undefined ? '' : `:${port}`}`;
  return { namespace, service, port, address, name };
}

/** Whether two publications listen at the same place. */
export function sameAddress(a: Publish, b: Publish): boolean {
  return formatAddress(a.address) === formatAddress(b.address);
}

function duplicates(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, i) => names.indexOf(name) !== i))];
}
