/** The fields of json_exporter's configuration file, and of the HTTP client of Prometheus' own programs in it. */

import { any, boolean, integer, list, map, object, string } from '@outrigger/core/api';
import type { Infer } from '@outrigger/core/api';

const metric = object(
  {
    name: string('Name of the metric'),
    path: string('Where the value is, or the objects'),
    engine: string('How paths are read', { enum: ['jsonpath', 'cel'], default: 'jsonpath' }),
    type: string('One value, or one for each object', { enum: ['value', 'object'], default: 'value' }),
    valuetype: string('Type of the metric', { enum: ['untyped', 'gauge', 'counter'], default: 'untyped' }),
    help: string('Help text; the name if absent'),
    labels: map(string(), 'Label → text or path'),
    values: map(string(), 'End of the name → number or path in the object'),
    epochTimestamp: string('Where a timestamp is; it is not shown'),
    allow_missing_key: boolean('That the path finds nothing is nothing to report', { default: false }),
  },
  {
    required: ['name', 'path', 'engine', 'type', 'valuetype', 'allow_missing_key'],
    description: 'What to read out of the document',
  },
);
export type MetricSpec = Infer<typeof metric>;

const tls = object({
  ca: string(),
  cert: string(),
  key: string(),
  ca_file: string(),
  cert_file: string(),
  key_file: string(),
  server_name: string(),
  insecure_skip_verify: boolean(),
  min_version: string(undefined, { enum: ['TLS10', 'TLS11', 'TLS12', 'TLS13'] }),
  max_version: string(undefined, { enum: ['TLS10', 'TLS11', 'TLS12', 'TLS13'] }),
});

const client = object({
  basic_auth: object({
    username: string(),
    username_file: string(),
    password: string(),
    password_file: string(),
  }),
  authorization: object({ type: string(), credentials: string(), credentials_file: string() }),
  bearer_token: string(),
  bearer_token_file: string(),
  oauth2: object({
    client_id: string(),
    client_secret: string(),
    client_secret_file: string(),
    token_url: string(),
    scopes: list(string()),
    endpoint_params: map(string()),
    tls_config: tls,
  }),
  tls_config: tls,
  proxy_url: string(),
  no_proxy: string(),
  proxy_from_environment: boolean(),
  proxy_connect_header: any(),
  follow_redirects: boolean(),
  enable_http2: boolean(),
  http_headers: map(object({ values: list(string()), secrets: list(string()), files: list(string()) })),
});
export type ClientSpec = Infer<typeof client>;

const module = object(
  {
    headers: map(string(), 'Headers sent along'),
    metrics: list(metric, 'What to read out of the document'),
    http_client_config: client,
    body: object(
      { content: string('Posted if it is not empty'), templatize: boolean(undefined, { default: false }) },
      { required: ['templatize'] },
    ),
    valid_status_codes: list(integer(), 'Taken as success; 200 to 299 if absent'),
  },
  { description: 'How one kind of document is read' },
);
export type ModuleSpec = Infer<typeof module>;

export const modulesSchema = object({ modules: map(module, 'Name → module') });
