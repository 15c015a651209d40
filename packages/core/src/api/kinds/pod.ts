/**
 * core/v1 Pod: one instance of a workload. Outrigger schedules and starts nothing; it reads where a pod runs, what it
 * listens on and whether it is ready. Fields it has no use for are kept as they are.
 */

import type { Infer } from '../build.ts';
import { any, boolean, describe, integer, keyedList, list, map, object, string } from '../build.ts';
import { container, containerStatus, volume } from './container.ts';
import { defaultPod, validatePod } from '../rules/pod.ts';
import type { ObjectWith } from './define.ts';
import { defineKind } from './define.ts';
import { podColumns } from './pod-columns.ts';

export const podSpec = object(
  {
    containers: keyedList(container, ['name'], 'Containers of the pod'),
    initContainers: keyedList(container, ['name'], 'Containers that run first, or as sidecars'),
    ephemeralContainers: keyedList(container, ['name'], 'Containers added for debugging'),
    nodeName: string('Node the pod runs on'),
    restartPolicy: string('When ended containers are started again', {
      enum: ['Always', 'OnFailure', 'Never'],
      default: 'Always',
    }),
    terminationGracePeriodSeconds: integer('Seconds the pod gets to end by itself', {
      default: 30,
      format: 'int64',
    }),
    activeDeadlineSeconds: integer('Seconds the pod may run', { format: 'int64' }),
    dnsPolicy: string('Where names are resolved', {
      enum: ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'],
      default: 'ClusterFirst',
    }),
    dnsConfig: any('Settings of the resolver'),
    hostNetwork: boolean('Whether the pod uses the network of its node'),
    hostPID: boolean('Whether the pod sees the processes of its node'),
    hostIPC: boolean('Whether the pod shares the IPC of its node'),
    hostUsers: boolean('Whether the pod uses the user IDs of its node'),
    shareProcessNamespace: boolean('Whether containers see the processes of each other'),
    hostname: string('Host name of the pod'),
    hostnameOverride: string('Host name of the pod, as it sees itself'),
    subdomain: string('DNS subdomain: the name of a headless Service'),
    setHostnameAsFQDN: boolean('Whether the host name is fully qualified'),
    readinessGates: list(
      object({ conditionType: string('Type of the condition') }, { required: ['conditionType'] }),
      'Conditions that must hold before the pod counts as ready',
    ),
    serviceAccountName: string('Identity of the pod'),
    serviceAccount: string('Older name of serviceAccountName'),
    automountServiceAccountToken: boolean('Whether the identity token is mounted'),
    nodeSelector: map(string(), 'Labels the node must have'),
    affinity: any('Rules for choosing the node'),
    tolerations: list(any(), 'Taints the pod puts up with'),
    topologySpreadConstraints: list(any(), 'How pods spread over nodes'),
    schedulerName: string('Scheduler that places the pod'),
    schedulingGates: list(any(), 'What must be done before scheduling'),
    schedulingGroup: any('Group the pod is scheduled with'),
    workloadRef: any('Workload the pod belongs to'),
    priorityClassName: string('Name of its priority'),
    priority: integer('Its priority', { format: 'int32' }),
    preemptionPolicy: string('Whether it may push others out'),
    runtimeClassName: string('Container runtime'),
    enableServiceLinks: boolean('Whether Services appear as environment variables'),
    imagePullSecrets: keyedList(
      object({ name: string('Name of the Secret') }),
      ['name'],
      'Credentials for images',
    ),
    hostAliases: keyedList(
      object({ ip: string('Address'), hostnames: list(string(), 'Names') }, { required: ['ip'] }),
      ['ip'],
      'Entries of /etc/hosts',
    ),
    volumes: keyedList(volume, ['name'], 'Volumes of the pod'),
    securityContext: any('Security settings of the pod'),
    overhead: any('Resources of the runtime itself'),
    os: any('Operating system'),
    resourceClaims: list(any(), 'Devices asked for'),
    resources: any('Resources of the whole pod'),
  },
  { required: ['containers'], description: 'What the pod should be' },
);
export type PodSpec = Infer<typeof podSpec>;

const podCondition = object(
  {
    type: string('Name of the condition, such as Ready'),
    status: string('Whether it holds', { enum: ['True', 'False', 'Unknown'] }),
    observedGeneration: integer('Generation of the pod this was judged from', {
      omitZero: true,
      format: 'int64',
    }),
    lastProbeTime: string('When it was last looked at', { format: 'date-time' }),
    lastTransitionTime: string('When the status last changed', { format: 'date-time' }),
    reason: string('Why, as one word'),
    message: string('Why, as a sentence'),
  },
  { required: ['type', 'status'], description: 'One observed aspect of the pod' },
);
export type PodCondition = Infer<typeof podCondition>;

export const podStatus = object(
  {
    phase: string('Where the pod is in its life', {
      enum: ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'],
    }),
    conditions: keyedList(podCondition, ['type'], 'Observed aspects of the pod'),
    message: string('Why it is in this state, as a sentence'),
    reason: string('Why it is in this state, as one word'),
    podIP: string('Its address, the first of podIPs'),
    podIPs: keyedList(
      object({ ip: string('Address') }, { required: ['ip'] }),
      ['ip'],
      'Its addresses, one per IP family',
    ),
    hostIP: string('Address of its node'),
    hostIPs: keyedList(
      object({ ip: string('Address') }, { required: ['ip'] }),
      ['ip'],
      'Addresses of its node',
    ),
    startTime: string('When its node took it on', { format: 'date-time' }),
    containerStatuses: list(containerStatus, 'What its containers are doing'),
    initContainerStatuses: list(containerStatus, 'What its init containers are doing'),
    ephemeralContainerStatuses: list(containerStatus, 'What its ephemeral containers are doing'),
    observedGeneration: integer('Generation this status was made from', { omitZero: true, format: 'int64' }),
    nominatedNodeName: string('Node it would go to'),
    qosClass: string('Quality of service'),
    resize: string('State of a resize'),
    resourceClaimStatuses: list(any(), 'State of its devices'),
    extendedResourceClaimStatus: any('State of its extended resources'),
    allocatedResources: any('Resources set aside for it'),
    resources: any('Resources it has'),
  },
  { description: 'What was observed' },
);
export type PodStatus = Infer<typeof podStatus>;

const fields = {
  spec: podSpec,
  status: describe(podStatus, 'What was observed', { default: { phase: 'Pending' } }),
};
export type Pod = ObjectWith<typeof fields, 'spec'>;

export const podKind = defineKind<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  resource: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  description: 'One instance of a workload: where it runs, what it listens on, whether it is ready.',
  fields,
  required: ['spec'],
  hasGeneration: true,
  selectableFields: {
    'spec.nodeName': (pod) => pod.spec.nodeName ?? '',
    'spec.restartPolicy': (pod) => pod.spec.restartPolicy ?? '',
    'spec.schedulerName': (pod) => pod.spec.schedulerName ?? '',
    'spec.serviceAccountName': (pod) => pod.spec.serviceAccountName ?? '',
    'spec.hostNetwork': (pod) => String(pod.spec.hostNetwork ?? false),
    'status.phase': (pod) => pod.status?.phase ?? '',
    'status.podIP': (pod) => pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? '',
    'status.podIPs': (pod) => pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? '',
    'status.nominatedNodeName': (pod) => pod.status?.nominatedNodeName ?? '',
  },
  applyDefaults: defaultPod,
  validate: validatePod,
  columns: podColumns,
});
