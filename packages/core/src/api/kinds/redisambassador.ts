/** outrigger.dev/v1alpha1 RedisAmbassador: the configuration of a Redis ambassador. */

import type { Infer } from '../build.ts';
import { boolean, describe, integer, keyedList, list, number, object, string } from '../build.ts';
import { daemonFields, secretSource } from './daemon.ts';
import { validateRedisAmbassadorSpec } from '../rules/redis-ambassador.ts';
import type { ObjectWith } from './define.ts';
import { defineKind } from './define.ts';
import { conditions } from './meta.ts';
import { redisLimits } from './redis-limits.ts';

/**
 * Which servers, and how to log in there: exactly one of `primary`, `sentinel` with `master`, and `cluster`. A server is
 * `HOST:PORT`, `unix:/path`, `redis://HOST[:PORT]`, `rediss://HOST[:PORT]` or `svc:NAMESPACE/NAME[:PORT]`.
 */
const upstreamFields = {
  primary: string(
    'The server that takes writes: HOST:PORT, a redis URL or svc:NAMESPACE/NAME[:PORT]; a Service alone, without ' +
      'replica, may have all servers, which are asked for their roles',
  ),
  replica: list(string(), 'Servers that may take reads, written like primary', { maxItems: 64 }),
  sentinel: list(
    string(),
    'Sentinels that tell the primary and the replicas of master, written like primary',
    {
      maxItems: 64,
    },
  ),
  master: string('Name by which the Sentinels know the primary'),
  sentinelUsername: string('User name (ACL) at the Sentinels; the default user if absent'),
  sentinelPasswordFrom: secretSource,
  cluster: list(string(), 'Some servers of a Redis Cluster, which tell the others, written like primary', {
    maxItems: 64,
  }),
  username: string('User name (ACL) at the servers; the default user if absent'),
  passwordFrom: secretSource,
};
const readPolicy = string('Who answers reads', {
  enum: ['preferReplica', 'primary', 'replica', 'nearest'],
});
const consistency = string(
  'session: a client reads its own writes and never goes back in time; eventual: it may',
  { enum: ['session', 'eventual'] },
);

const route = object(
  {
    prefix: string('What the keys begin with; of several routes the longest prefix counts', {
      maxLength: 512,
    }),
    ...upstreamFields,
    readPolicy: describe(readPolicy, 'Who answers reads of these keys; readPolicy of the whole if absent'),
    consistency: describe(consistency, 'What these reads may see; consistency of the whole if absent'),
  },
  { required: ['prefix'], description: 'Other servers for keys with a prefix' },
);
export type RedisRoute = Infer<typeof route>;

const user = object(
  {
    name: string('Name; AUTH with a password alone means the user named default'),
    passwordFrom: secretSource,
    readOnly: boolean('Commands that may write are refused', { default: false }),
    allow: list(string(), 'Commands this user may send, written like allowCommands; all if absent', {
      maxItems: 512,
    }),
    deny: list(string(), 'Commands refused, written like allowCommands', { maxItems: 512 }),
  },
  { required: ['name', 'passwordFrom', 'readOnly'], description: 'A user that applications log in as' },
);
export type RedisUser = Infer<typeof user>;

const tls = object(
  {
    certFile: string('PEM file of the certificate (and those between it and the authority)'),
    keyFile: string('PEM file of its key'),
    clientCaFile: string('PEM file of authorities: clients without a certificate of theirs are turned away'),
  },
  {
    required: ['certFile', 'keyFile'],
    description: 'TLS for applications; the files are read again when they change',
  },
);

const serverTls = object(
  {
    caFile: string(
      'PEM file of authorities the certificates of servers are checked against; those of Node if absent',
    ),
    certFile: string('PEM file of a certificate to show to servers'),
    keyFile: string('PEM file of its key'),
    serverName: string('Name asked for (SNI) and expected in the certificates; that of the server if absent'),
  },
  {
    description:
      'TLS to servers and Sentinels: all but redis:// URLs and unix sockets, if present; rediss:// alone, if absent',
  },
);

const slowLog = object(
  {
    threshold: string('Commands that took longer are kept', { format: 'duration', default: '10ms' }),
    entries: integer('How many are kept; 0: none', { default: 128, minimum: 0, maximum: 10_000 }),
    keys: boolean('Show the first key of each', { default: false }),
  },
  {
    required: ['threshold', 'entries', 'keys'],
    description: 'The slowest commands, shown by /debug',
    default: {},
  },
);

const tracing = object(
  {
    endpoint: string('http(s) URL of an OpenTelemetry collector; no spans if absent'),
    sample: number('Share of commands that get a span', { default: 0.01, minimum: 0, maximum: 1 }),
  },
  { required: ['sample'], description: 'OpenTelemetry spans', default: {} },
);

export const redisAmbassadorSpec = object(
  {
    ...daemonFields,
    listen: string('Address that applications connect to', { default: '127.0.0.1:6379' }),
    admin: describe(daemonFields.admin, 'Address of probes, /metrics and /debug', {
      default: '127.0.0.1:9121',
    }),
    ...upstreamFields,
    readPolicy: describe(readPolicy, 'Who answers reads', { default: 'preferReplica' }),
    consistency: describe(
      consistency,
      'session: a client reads its own writes and never goes back in time; eventual: it may',
      { default: 'session' },
    ),
    maxLag: string('How far behind the primary a replica may be and still take reads', {
      format: 'duration',
      default: '10s',
    }),
    zone: string('Zone of this ambassador, which readPolicy nearest prefers', { maxLength: 63 }),
    writeAcks: integer('Replicas that must have a write before it is answered (WAIT)', {
      default: 0,
      minimum: 0,
      maximum: 64,
    }),
    writeAcksTimeout: string('How long such a write waits for them before it is answered with an error', {
      format: 'duration',
      default: '1s',
    }),
    failoverWait: string('How long commands wait while a new primary is being elected', {
      format: 'duration',
      default: '15s',
    }),
    allowNonAtomicMset: boolean('In a cluster, MSET of keys in several slots is split, and not atomic', {
      default: false,
    }),
    routes: keyedList(route, ['prefix'], 'Other servers for some keys', { maxItems: 64 }),
    users: keyedList(user, ['name'], 'Users that applications log in as, checked by the ambassador', {
      maxItems: 256,
    }),
    readOnly: boolean('Commands that may write are refused', { default: false }),
    allowCommands: list(
      string(),
      'Commands that are taken: names, or names and subcommands joined by a vertical bar; all if absent',
      {
        maxItems: 512,
      },
    ),
    denyCommands: list(string(), 'Commands that are refused, written like allowCommands', { maxItems: 512 }),
    tls,
    serverTls,
    limits: redisLimits,
    slowLog,
    tracing,
  },
  {
    required: [
      'listen',
      'admin',
      'readPolicy',
      'consistency',
      'maxLag',
      'writeAcks',
      'writeAcksTimeout',
      'failoverWait',
      'allowNonAtomicMset',
      'readOnly',
      'limits',
      'slowLog',
      'tracing',
      'drainTimeout',
      'logLevel',
    ],
    description: 'Configuration of the ambassador',
  },
);
export type RedisAmbassadorSpec = Infer<typeof redisAmbassadorSpec>;

const fields = {
  spec: redisAmbassadorSpec,
  status: object({ conditions }, { description: 'What was observed' }),
};
export type RedisAmbassador = ObjectWith<typeof fields, 'spec'>;

export const redisAmbassadorKind = defineKind<RedisAmbassador>({
  group: 'outrigger.dev',
  version: 'v1alpha1',
  kind: 'RedisAmbassador',
  resource: 'redisambassadors',
  shortNames: ['ra'],
  categories: ['outrigger'],
  description: 'Configuration of a Redis ambassador, which splits reads from writes.',
  fields,
  required: ['spec'],
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  validate: (object) => validateRedisAmbassadorSpec(object.spec),
  columns: [
    {
      name: 'Listen',
      jsonPath: '.spec.listen',
      type: 'string',
      description: 'Address of applications',
      priority: 0,
      cell: (object) => object.spec.listen,
    },
    {
      name: 'Primary',
      jsonPath: '.spec.primary',
      type: 'string',
      description: 'Server that takes writes',
      priority: 0,
      cell: (object) => object.spec.primary ?? '',
    },
    {
      name: 'Read-Policy',
      jsonPath: '.spec.readPolicy',
      type: 'string',
      description: 'Who answers reads',
      priority: 0,
      cell: (object) => object.spec.readPolicy,
    },
  ],
});
