/** outrigger.dev/v1alpha1 RedisAmbassador: the configuration of a Redis ambassador. */

import type { Infer } from '../build.ts';
import { describe, list, object, string } from '../build.ts';
import { daemonFields, secretSource } from './daemon.ts';
import { validateRedisAmbassadorSpec } from '../rules/own.ts';
import type { ObjectWith } from './define.ts';
import { defineKind } from './define.ts';
import { conditions } from './meta.ts';

/** A server is `HOST:PORT`, `redis://HOST:PORT`, `rediss://HOST:PORT` or `svc:NAMESPACE/NAME[:PORT]`. */
export const redisAmbassadorSpec = object(
  {
    ...daemonFields,
    listen: string('Address that applications connect to', { default: '127.0.0.1:6379' }),
    admin: describe(daemonFields.admin, 'Address of probes, /metrics and /debug', {
      default: '127.0.0.1:9121',
    }),
    primary: string('The server that takes writes: HOST:PORT, a redis URL or svc:NAMESPACE/NAME[:PORT]'),
    replica: list(string(), 'Servers that may take reads, written like primary', { maxItems: 64 }),
    username: string('User name (ACL) at the servers; the default user if absent'),
    passwordFrom: secretSource,
    readPolicy: string('Who answers reads', {
      enum: ['preferReplica', 'primary', 'replica', 'nearest'],
      default: 'preferReplica',
    }),
    consistency: string(
      'session: a client reads its own writes and never goes back in time; eventual: it may',
      {
        enum: ['session', 'eventual'],
        default: 'session',
      },
    ),
    maxLag: string('How far behind the primary a replica may be and still take reads', {
      format: 'duration',
      default: '10s',
    }),
  },
  {
    required: ['listen', 'admin', 'readPolicy', 'consistency', 'maxLag', 'drainTimeout', 'logLevel'],
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
