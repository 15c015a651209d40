/**
 * Who can be scraped, in the form of Prometheus' HTTP service discovery: a group per page, read from the Leases by which
 * sidecars say that they are there. Pure.
 */

import { parseTime } from '@outrigger/core/api';
import type { LabelSelector, Lease } from '@outrigger/core/api';

/** https://prometheus.io/docs/prometheus/latest/http_sd/ */
export interface TargetGroup {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

export interface TargetOptions {
  readonly nowMs: number;
  /** Empty: all. */
  readonly namespace: string;
  /** Over the labels of the Lease and of the Pod of the same name. */
  readonly selector: LabelSelector;
  /** Labels of the Pod with the name of the sidecar's host, if there is one. */
  readonly podLabels: (namespace: string, name: string) => Readonly<Record<string, string>> | undefined;
}

const annotation = (name: string): string => `outrigger.dev/${name}`;

/** In the order of the Leases. Leases nobody has renewed in time are of the dead. */
export function targetGroups(leases: Iterable<Lease>, options: TargetOptions): TargetGroup[] {
  return [...leases].flatMap((lease) => groupsOf(lease, options));
}

function groupsOf({ metadata, spec }: Lease, options: TargetOptions): TargetGroup[] {
  const { namespace = 'default', labels = {}, annotations = {} } = metadata;
  const role = labels['outrigger.dev/role'];
  const scrape = annotations[annotation('scrape')];
  if (role === undefined || scrape === undefined || expired(spec, options.nowMs)) return [];
  if (options.namespace !== '' && options.namespace !== namespace) return [];
  const instance = spec.holderIdentity ?? '';
  const admin = annotations[annotation('admin')];
  const name = [instance, hostOf(instance, [scrape, adminUrl(admin)])].find(
    (one) => options.podLabels(namespace, one) !== undefined,
  );
  const pod = name === undefined ? undefined : options.podLabels(namespace, name);
  if (!options.selector.matches({ ...pod, ...labels })) return [];
  const common = {
    namespace,
    outrigger_role: role,
    outrigger_instance: instance,
    ...(name === undefined ? {} : { pod: name }),
    ...appOf(pod ?? {}),
  };
  const page = targetOf(scrape, common);
  const own = targetOf(adminUrl(admin), { ...common, outrigger_page: 'admin' });
  // An adapter's own metrics are on another address than the ones it collects.
  const another = own !== undefined && own.targets[0] !== page?.targets[0];
  return [page, another ? own : undefined].filter((group) => group !== undefined);
}

/** Sidecars call themselves by their host, which in a pod is its name, and the port of one of their pages. */
function hostOf(instance: string, urls: readonly (string | undefined)[]): string {
  const ports = urls.map((url) => (url === undefined ? '' : (URL.parse(url)?.port ?? '')));
  const port = ports.find((one) => one !== '' && instance.endsWith(`-${one}`));
  return port === undefined ? instance : instance.slice(0, -port.length - 1);
}

function expired(spec: Lease['spec'], nowMs: number): boolean {
  const renewedMs = parseTime(spec.renewTime ?? '');
  if (renewedMs === undefined) return true;
  return nowMs > renewedMs + (spec.leaseDurationSeconds ?? 0) * 1000;
}

function adminUrl(admin: string | undefined): string | undefined {
  if (admin === undefined || admin.startsWith('unix:')) return undefined;
  return admin.includes('://') ? admin : `http://${admin}/metrics`;
}

/** Undefined for what Prometheus cannot scrape: a unix socket, or no URL at all. */
function targetOf(
  url: string | undefined,
  labels: Readonly<Record<string, string>>,
): TargetGroup | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const { protocol, hostname, port, pathname } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') return undefined;
  const scheme = protocol.slice(0, -1);
  return {
    targets: [`${hostname}:${port === '' ? defaultPorts[scheme] : port}`],
    labels: { __scheme__: scheme, __metrics_path__: pathname === '/' ? '/metrics' : pathname, ...labels },
  };
}

const defaultPorts: Readonly<Record<string, string>> = { http: '80', https: '443' };

function appOf(labels: Readonly<Record<string, string>>): { app?: string } {
  const app = labels['app.kubernetes.io/name'] ?? labels['app'];
  return app === undefined ? {} : { app };
}
