/** What a MetricsAdapter asks for metrics when its page is read: one entry per source, of exactly one kind. */

import type { Infer } from '../build.ts';
import { any, boolean, integer, keyedList, list, map, number, object, string } from '../build.ts';
import { secretSource } from './daemon.ts';

const urlText = 'http(s) URL; the host may be svc:NAMESPACE/NAME[:PORT], which stands for every endpoint';

const http = object(
  {
    headers: map(string(), 'Headers sent with every request'),
    username: string('User name of basic authentication'),
    passwordFrom: secretSource,
    bearerTokenFrom: secretSource,
    caFile: string('PEM file of authorities the certificate is checked against; those of Node if absent'),
    certFile: string('PEM file of a certificate to show'),
    keyFile: string('PEM file of its key'),
    serverName: string('Name asked for (SNI) and expected in the certificate; the host if absent'),
    insecureSkipVerify: boolean('Take any certificate', { default: false }),
    followRedirects: boolean('Follow redirects to the same host', { default: true }),
    maxBodySize: string('Longer answers are refused', { format: 'size', default: '10MiB' }),
  },
  {
    required: ['insecureSkipVerify', 'followRedirects', 'maxBodySize'],
    description: 'How it is asked',
    default: {},
  },
);
export type SourceHttp = Infer<typeof http>;

const relabelRule = object(
  {
    action: string('What to do', {
      enum: [
        ...(['replace', 'keep', 'drop', 'keepequal', 'dropequal', 'hashmod'] as const),
        ...(['labelmap', 'labeldrop', 'labelkeep', 'lowercase', 'uppercase'] as const),
      ],
      default: 'replace',
    }),
    sourceLabels: list(string(), 'Labels whose values are joined; __name__ is the name of the metric'),
    separator: string('Written between them', { default: ';', keepEmpty: true }),
    regex: string('What the joined values must match as a whole (RE2)', { default: '(.*)' }),
    targetLabel: string('Label that is written'),
    replacement: string('What is written, with $1 or ${name} for groups', { default: '$1', keepEmpty: true }),
    modulus: integer('Divisor of hashmod', { minimum: 1, format: 'int64' }),
  },
  {
    required: ['action', 'separator', 'regex', 'replacement'],
    description: "One of Prometheus' metric relabelling rules",
  },
);
export type RelabelRule = Infer<typeof relabelRule>;

const logRule = object(
  {
    match: string(
      'Regular expression (RE2) a line must contain; named groups are fields. Absent: every line',
    ),
    name: string('Name of the metric'),
    type: string('What becomes of it', { enum: ['counter', 'gauge', 'histogram'], default: 'counter' }),
    help: string('Help text'),
    value: string('Field with the number; absent: 1 for counters'),
    scale: number('The number is multiplied by it', { default: 1 }),
    labels: map(string(), 'Label → text with ${field} for fields'),
    buckets: list(number(), 'Upper bounds of a histogram, ascending; timerBuckets if absent', {
      maxItems: 64,
    }),
  },
  { required: ['name', 'type', 'scale'], description: 'What to count in lines' },
);
export type LogRule = Infer<typeof logRule>;

const processRule = object(
  {
    name: string('Value of the label groupname'),
    command: string('Regular expression (RE2) its command line must contain'),
    pidFile: string('File that holds its process id'),
  },
  { required: ['name'], description: 'Processes to measure, by exactly one of command and pidFile' },
);

const source = object(
  {
    name: string('Value of the label source in the metrics about it; unique', { maxLength: 63 }),
    labels: map(string(), 'Labels added to its series'),
    timeout: string('How long it may take, at most; the scrape may allow less', {
      format: 'duration',
      default: '10s',
    }),
    maxSeries: integer('Series taken from it at most; the whole answer is refused beyond it', {
      default: 50_000,
      minimum: 1,
    }),
    relabel: list(relabelRule, 'Relabelling rules, in order', { maxItems: 256 }),
    prometheus: object(
      {
        url: string(urlText),
        http,
        sourceLabel: string('Label that names this source on each of its series; empty: none', {
          default: 'source',
          keepEmpty: true,
        }),
        honorLabels: boolean('Labels of the endpoint win over those added here', { default: true }),
      },
      {
        required: ['url', 'http', 'sourceLabel', 'honorLabels'],
        description: 'A Prometheus or OpenMetrics page',
      },
    ),
    json: object(
      {
        url: string(urlText),
        module: string('Name of a module of jsonModules', { default: 'default' }),
        http,
      },
      { required: ['url', 'module', 'http'], description: 'JSON over HTTP' },
    ),
    jolokia: object(
      {
        url: string(`${urlText}; such as http://127.0.0.1:8778/jolokia`),
        rulesFile: string("jmx_exporter's YAML; its file is read again when it changes"),
        rules: any(
          'The same as an object, instead of rulesFile: rules, includeObjectNames, lowercaseOutputName …',
        ),
        http,
      },
      { required: ['url', 'http'], description: 'JMX through Jolokia' },
    ),
    redis: object(
      {
        address: string('HOST:PORT, unix:/path, redis(s):// URL or svc:NAMESPACE/NAME[:PORT]'),
        username: string('User name (ACL); the default user if absent'),
        passwordFrom: secretSource,
        caFile: string('PEM file of authorities; those of Node if absent'),
        latencyHistograms: boolean('Show LATENCY HISTOGRAM: thirteen series a command', { default: true }),
      },
      { required: ['address', 'latencyHistograms'], description: 'A Redis or Valkey server' },
    ),
    log: object(
      {
        files: list(string(), 'Paths; the last part may have * and ?', { minItems: 1, maxItems: 64 }),
        format: string('How fields are found in a line; absent: only by the rules', {
          enum: ['nginx', 'apache', 'json'],
        }),
        rules: list(logRule, 'What to count; absent: the ready-made metrics of the format', {
          maxItems: 256,
        }),
        fromStart: boolean('Read files found at start from their first line', { default: false }),
        maxLineLength: string('The rest of longer lines is skipped', { format: 'size', default: '64KiB' }),
      },
      { required: ['files', 'fromStart', 'maxLineLength'], description: 'Lines of log files' },
    ),
    nginx: object(
      { url: string(urlText), http },
      { required: ['url', 'http'], description: 'nginx stub_status' },
    ),
    haproxy: object(
      { url: string(urlText), http },
      { required: ['url', 'http'], description: 'HAProxy CSV' },
    ),
    pod: object(
      {
        cgroup: string('Directory of the control group (v2)', { default: '/sys/fs/cgroup' }),
        proc: string('Where /proc is mounted', { default: '/proc' }),
        processes: keyedList(processRule, ['name'], 'Processes to measure by themselves', { maxItems: 64 }),
      },
      { required: ['cgroup', 'proc'], description: 'The control group and processes of the pod' },
    ),
  },
  {
    required: ['name', 'timeout', 'maxSeries'],
    description: 'Something asked for metrics; exactly one kind',
  },
);
export type MetricsSource = Infer<typeof source>;
/** The fields of a source of which exactly one is set. */
export const sourceKinds = [
  ...(['prometheus', 'json', 'jolokia', 'redis', 'log', 'nginx', 'haproxy', 'pod'] as const),
];

export const metricsSources = keyedList(source, ['name'], 'What is asked for metrics when the page is read', {
  maxItems: 256,
});
