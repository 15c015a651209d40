/** nginx's stub_status as a source, in the metric names of nginx-prometheus-exporter. */

import type { MetricsSource } from '@outrigger/core/api';
import type { MetricType } from '@outrigger/core/exposition';
import type { FamilyBuilder } from '../sources/families.ts';
import { fetchedSource } from '../sources/fetched.ts';
import type { FetchedDeps } from '../sources/fetched.ts';
import { SourceError } from '../sources/source.ts';
import type { Place, Source } from '../sources/source.ts';

export type NginxSpec = NonNullable<MetricsSource['nginx']>;

/** Throws CONFIG_INVALID. */
export function nginxSource(spec: NginxSpec, place: Place, deps: FetchedDeps): Source {
  return fetchedSource(spec, place, deps, {
    up: { name: 'nginx_up', type: 'gauge', help: '1 if nginx answered with its status.' },
    read: readStubStatus,
  });
}

const rows: readonly (readonly [name: string, type: MetricType, help: string])[] = [
  ['nginx_connections_active', 'gauge', 'Connections of clients, idle ones included.'],
  ['nginx_connections_accepted', 'counter', 'Connections accepted.'],
  ['nginx_connections_handled', 'counter', 'Connections handled; fewer than accepted when a limit was met.'],
  ['nginx_http_requests_total', 'counter', 'Requests of clients.'],
  ['nginx_connections_reading', 'gauge', 'Connections whose request is being read.'],
  ['nginx_connections_writing', 'gauge', 'Connections that are being answered.'],
  ['nginx_connections_waiting', 'gauge', 'Idle connections that wait for a request.'],
];

/** Four lines whose numbers are in a fixed order; the words are checked so that another page is not taken for it. */
const page =
  /^Active connections:\s*(\d+)\s*\nserver accepts handled requests[^\n]*\n\s*(\d+)\s+(\d+)\s+(\d+)(?:\s+\d+)?\s*\nReading:\s*(\d+)\s+Writing:\s*(\d+)\s+Waiting:\s*(\d+)\s*$/;

export function readStubStatus(text: string, to: FamilyBuilder): Readonly<Record<string, number>> {
  const found = page.exec(text.replaceAll('\r', ''));
  if (found === null) {
    throw new SourceError('parse', 'the page is not one of stub_status; check the location it is served at');
  }
  rows.forEach(([name, type, help], index) => to.add({ name, type, help }, Number(found[index + 1])));
  return {};
}
