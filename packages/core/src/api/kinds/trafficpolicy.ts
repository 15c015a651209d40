/** outrigger.dev/v1alpha1 TrafficPolicy: how the proxies treat the traffic to a Service of the same namespace. */

import type { Infer } from '../build.ts';
import { integer, list, object, string } from '../build.ts';
import { validateTrafficPolicySpec } from '../rules/own.ts';
import type { ObjectWith } from './define.ts';
import { defineKind } from './define.ts';
import { conditions } from './meta.ts';

const targetRef = object(
  {
    group: string('API group of the target: empty, the core group', { default: '', keepEmpty: true }),
    kind: string('Kind of the target', { enum: ['Service'], default: 'Service' }),
    name: string('Name of the target, in the namespace of the policy'),
    sectionName: string('Name of the one Service port that is meant; every port if absent'),
  },
  { required: ['group', 'kind', 'name'], description: 'What the policy applies to' },
);
export type TargetRef = Infer<typeof targetRef>;

const connectionLimit = object(
  {
    total: integer('Open connections to the Service through one proxy; further ones are reset. 0: no limit', {
      default: 16_384,
      minimum: 0,
    }),
    perEndpoint: integer(
      'Open connections to one endpoint from one proxy; further ones go elsewhere. 0: no limit',
      {
        default: 0,
        minimum: 0,
      },
    ),
  },
  {
    required: ['total', 'perEndpoint'],
    description: 'How many connections may be open at a time',
    default: {},
  },
);

const ejection = object(
  {
    consecutiveFailures: integer(
      'Failed dials in a row after which an endpoint is left alone for a while. 0: never',
      {
        default: 5,
        minimum: 0,
      },
    ),
    baseEjectionTime: string('How long the first time; doubled each time it follows at once', {
      format: 'duration',
      default: '30s',
    }),
    maxEjectionTime: string('How long at most', { format: 'duration', default: '300s' }),
    maxEjectionPercent: integer(
      'Share of the endpoints that may be left alone at a time, rounded down; one is allowed as soon as there are two, ' +
        'all never. Lower keeps more capacity when many fail at once, higher avoids more failing endpoints',
      { default: 50, minimum: 0, maximum: 100 },
    ),
  },
  {
    required: ['consecutiveFailures', 'baseEjectionTime', 'maxEjectionTime', 'maxEjectionPercent'],
    description: 'When a failing endpoint is left alone for a while',
    default: {},
  },
);

export const trafficPolicySpec = object(
  {
    targetRefs: list(targetRef, 'Services the policy applies to', { minItems: 1, maxItems: 16 }),
    balancing: string('How an endpoint is picked for a connection', {
      enum: ['roundRobin', 'leastConnections'],
      default: 'leastConnections',
    }),
    connectTimeout: string('How long one dial may take before the next endpoint is tried', {
      format: 'duration',
      default: '1s',
    }),
    idleTimeout: string('How long a connection may carry nothing before it is closed. 0s: for ever', {
      format: 'duration',
      default: '1h',
    }),
    connectionLimit,
    ejection,
  },
  {
    required: ['targetRefs', 'balancing', 'connectTimeout', 'idleTimeout', 'connectionLimit', 'ejection'],
    description: 'What the policy asks for',
  },
);
export type TrafficPolicySpec = Infer<typeof trafficPolicySpec>;

const fields = {
  spec: trafficPolicySpec,
  status: object({ conditions }, { description: 'What was observed' }),
};
export type TrafficPolicy = ObjectWith<typeof fields, 'spec'>;

export const trafficPolicyKind = defineKind<TrafficPolicy>({
  group: 'outrigger.dev',
  version: 'v1alpha1',
  kind: 'TrafficPolicy',
  resource: 'trafficpolicies',
  shortNames: ['tp'],
  categories: ['outrigger'],
  description: 'How proxies balance, limit and eject the endpoints of a Service.',
  fields,
  required: ['spec'],
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  validate: (policy) => validateTrafficPolicySpec(policy.spec),
  columns: [
    {
      name: 'Targets',
      jsonPath: '.spec.targetRefs[*].name',
      type: 'string',
      description: 'Services it applies to',
      priority: 0,
      cell: (policy) => policy.spec.targetRefs.map(({ name }) => name).join(','),
    },
    {
      name: 'Balancing',
      jsonPath: '.spec.balancing',
      type: 'string',
      description: 'How an endpoint is picked',
      priority: 0,
      cell: (policy) => policy.spec.balancing,
    },
  ],
});
