/** Columns of HAProxy's statistics and what they are called on the page: the names of haproxy_exporter. */

import type { MetricType } from '@outrigger/core/exposition';

export interface Column {
  readonly column: string;
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  /** The number is divided by it: times are in milliseconds. */
  readonly divisor: number;
  /** Of answers by class. */
  readonly code: string | undefined;
}

export type RowKind = 'frontend' | 'backend' | 'server';

type Row = readonly [column: string, name: string, type: MetricType, help: string, divisor?: number];

const all: readonly Row[] = [
  ['scur', 'current_sessions', 'gauge', 'Sessions now.'],
  ['smax', 'max_sessions', 'gauge', 'Sessions at most so far.'],
  ['slim', 'limit_sessions', 'gauge', 'Sessions allowed.'],
  ['stot', 'sessions_total', 'counter', 'Sessions so far.'],
  ['bin', 'bytes_in_total', 'counter', 'Bytes received from clients.'],
  ['bout', 'bytes_out_total', 'counter', 'Bytes sent to clients.'],
  ['rate', 'current_session_rate', 'gauge', 'Sessions of the last second.'],
  ['rate_max', 'max_session_rate', 'gauge', 'Sessions of a second at most so far.'],
];

const compression: readonly Row[] = [
  ['comp_in', 'compressor_bytes_in_total', 'counter', 'Bytes given to the compressor.'],
  ['comp_out', 'compressor_bytes_out_total', 'counter', 'Bytes the compressor made of them.'],
  ['comp_byp', 'compressor_bytes_bypassed_total', 'counter', 'Bytes that went past the compressor.'],
  ['comp_rsp', 'http_responses_compressed_total', 'counter', 'Answers that were compressed.'],
];

const behind: readonly Row[] = [
  ['qcur', 'current_queue', 'gauge', 'Requests that wait now.'],
  ['qmax', 'max_queue', 'gauge', 'Requests that waited at most so far.'],
  ['econ', 'connection_errors_total', 'counter', 'Connections to servers that failed.'],
  ['eresp', 'response_errors_total', 'counter', 'Answers of servers that failed.'],
  ['wretr', 'retry_warnings_total', 'counter', 'Connections tried again.'],
  ['wredis', 'redispatch_warnings_total', 'counter', 'Requests given to another server.'],
  ['status', 'up', 'gauge', '1 if it is up.'],
  ['weight', 'weight', 'gauge', 'Weight now.'],
  ['lbtot', 'server_selected_total', 'counter', 'Times a server was chosen.'],
  ['cli_abrt', 'client_aborts_total', 'counter', 'Transfers the client ended early.'],
  ['srv_abrt', 'server_aborts_total', 'counter', 'Transfers the server ended early.'],
  ...averages(),
];

function averages(): Row[] {
  const times: readonly (readonly [string, string, string])[] = [
    ['qtime', 'http_queue_time_average_seconds', 'Time in the queue'],
    ['ctime', 'http_connect_time_average_seconds', 'Time to connect'],
    ['rtime', 'http_response_time_average_seconds', 'Time to the answer'],
    ['ttime', 'http_total_time_average_seconds', 'Time of the whole session'],
  ];
  return times.map(([column, name, what]) => {
    return [column, name, 'gauge', `${what}, of the last 1024 requests.`, 1000];
  });
}

const frontend: readonly Row[] = [
  ['dreq', 'requests_denied_total', 'counter', 'Requests denied.'],
  ['ereq', 'request_errors_total', 'counter', 'Requests that were wrong.'],
  ['rate_lim', 'limit_session_rate', 'gauge', 'Sessions of a second allowed.'],
  ['req_tot', 'http_requests_total', 'counter', 'Requests so far.'],
  ['conn_tot', 'connections_total', 'counter', 'Connections so far.'],
];

const backend: readonly Row[] = [['act', 'current_server', 'gauge', 'Servers in use that are up.']];

const server: readonly Row[] = [
  ['chkfail', 'check_failures_total', 'counter', 'Health checks that failed while it was up.'],
  ['downtime', 'downtime_seconds_total', 'counter', 'Time it was down.'],
  ['check_duration', 'check_duration_seconds', 'gauge', 'Time the last health check took.', 1000],
];

export const columnsOf: Readonly<Record<RowKind, readonly Column[]>> = {
  frontend: columns('frontend', [...all, ...compression, ...frontend]),
  backend: columns('backend', [...all, ...compression, ...behind, ...backend]),
  server: columns('server', [...all, ...behind, ...server]),
};

function columns(kind: RowKind, rows: readonly Row[]): Column[] {
  const codes = ['1xx', '2xx', '3xx', '4xx', '5xx', 'other'];
  return [
    ...rows.map(([column, name, type, help, divisor = 1]) => {
      return { column, name: `haproxy_${kind}_${name}`, type, help, divisor, code: undefined };
    }),
    ...codes.map((code) => ({
      column: `hrsp_${code}`,
      name: `haproxy_${kind}_http_responses_total`,
      type: 'counter' as const,
      help: 'Answers by the class of their status.',
      divisor: 1,
      code,
    })),
  ];
}
