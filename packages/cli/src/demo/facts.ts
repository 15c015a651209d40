/** What the live view shows, read where any operator could read it: the daemons' own pages. */

import type { PublicationReport } from '@outrigger/proxy';
import type { DemoMesh } from './mesh.ts';

export interface EndpointFact {
  readonly name: string;
  readonly address: string;
  readonly status: string;
  readonly why: string;
  readonly connections: number;
  /** Of the `outrigger register` that stands for it; 0 unknown. */
  readonly pid: number;
  /** Requests the app itself counted, by StatsD. */
  readonly requests: number;
}

export interface Facts {
  readonly controlUp: boolean;
  readonly endpoints: readonly EndpointFact[];
  /** Undefined where there is no Redis. */
  readonly redis: { readonly reads: number; readonly writes: number; readonly onReplica: number } | undefined;
  readonly failures: number;
}

/** A page that does not answer in time is a page that is not there. */
const pageTimeoutMs = 1000;

export async function gatherFacts(mesh: DemoMesh): Promise<Facts> {
  const [control, publications, scrape, redis] = await Promise.all([
    page(`${mesh.controlUrl}/readyz`),
    page(`http://${mesh.proxy?.addresses['admin']}/debug/services`),
    page(`http://${mesh.adapter?.addresses['scrape']}/metrics`),
    mesh.ambassador === undefined ? undefined : page(`http://${mesh.ambassador.addresses['admin']}/metrics`),
  ]);
  const proxy = await page(`http://${mesh.proxy?.addresses['admin']}/metrics`);
  return {
    controlUp: control !== undefined,
    endpoints: endpointFacts(mesh, publications, samples(scrape, 'demo_requests')),
    redis: redis === undefined ? undefined : redisFacts(redis),
    failures: samples(proxy, 'outrigger_proxy_failures_total').reduce((sum, { value }) => sum + value, 0),
  };
}

function endpointFacts(
  mesh: DemoMesh,
  publications: string | undefined,
  requests: readonly Sample[],
): EndpointFact[] {
  const reports = publications === undefined ? [] : (JSON.parse(publications) as PublicationReport[]);
  return reports.flatMap((report) =>
    (report.port?.endpoints ?? []).map((endpoint) => {
      const name = endpoint.target.replace(/^Pod\//, '');
      return {
        name,
        address: endpoint.key,
        status: endpoint.status,
        why: endpoint.reasons.join('; '),
        connections: endpoint.active,
        pid: mesh.backends.get(name)?.pid ?? 0,
        requests: requests.find(({ labels }) => labels.includes(`backend="${name}"`))?.value ?? 0,
      };
    }),
  );
}

function redisFacts(text: string): Facts['redis'] {
  const commands = samples(text, 'outrigger_ambassador_commands_total');
  const total = (...parts: string[]): number =>
    commands
      .filter(({ labels }) => parts.every((part) => labels.includes(part)))
      .reduce((sum, { value }) => sum + value, 0);
  return {
    reads: total('class="read"'),
    writes: total('class="write"'),
    onReplica: total('class="read"', 'route="replica"'),
  };
}

interface Sample {
  readonly labels: string;
  readonly value: number;
}

function samples(text: string | undefined, name: string): Sample[] {
  const lines = (text ?? '').split('\n').filter((line) => line.startsWith(`${name}{`));
  return lines.map((line) => {
    const end = line.lastIndexOf('}');
    return { labels: line.slice(name.length, end + 1), value: Number(line.slice(end + 1)) };
  });
}

/** Undefined when nobody answers, or not with success. */
async function page(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(pageTimeoutMs) });
    const text = await response.text();
    return response.ok ? text : undefined;
  } catch {
    // Down or restarting: the view says so by what is missing.
    return undefined;
  }
}
