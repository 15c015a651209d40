/** The containers of a Pod, with their probes (core/v1). */

import type { Infer } from '../build.ts';
import { any, boolean, integer, intOrString, keyedList, list, object, string } from '../build.ts';
import { protocols } from './service.ts';

/** Exactly one of the four ways to probe. */
export const probe = object(
  {
    httpGet: object(
      {
        path: string('Path to ask for', { default: '/' }),
        port: intOrString('Port number or name'),
        host: string('Host name to connect to; the pod itself if absent'),
        scheme: string('HTTP or HTTPS', { enum: ['HTTP', 'HTTPS'], default: 'HTTP' }),
        httpHeaders: list(
          object(
            { name: string('Header name'), value: string('Header value', { keepEmpty: true }) },
            { required: ['name', 'value'] },
          ),
          'Headers to send',
        ),
      },
      { required: ['port'], description: 'Succeeds on an HTTP status from 200 to 399' },
    ),
    tcpSocket: object(
      {
        port: intOrString('Port number or name'),
        host: string('Host name to connect to; the pod itself if absent'),
      },
      { required: ['port'], description: 'Succeeds when a TCP connection opens' },
    ),
    exec: object(
      { command: list(string(), 'Command and arguments') },
      { description: 'Succeeds on exit status 0' },
    ),
    grpc: object(
      {
        port: integer('Port number', { format: 'int32' }),
        service: string('Service name in the health request', { keepEmpty: true }),
      },
      { required: ['port'], description: 'Succeeds when the gRPC health service says SERVING' },
    ),
    initialDelaySeconds: integer('Seconds after the start before the first probe', {
      omitZero: true,
      format: 'int32',
    }),
    timeoutSeconds: integer('Seconds a probe may take', { default: 1, omitZero: true, format: 'int32' }),
    periodSeconds: integer('Seconds between probes', { default: 10, omitZero: true, format: 'int32' }),
    successThreshold: integer('Successes in a row that count as a pass', {
      default: 1,
      omitZero: true,
      format: 'int32',
    }),
    failureThreshold: integer('Failures in a row that count as a failure', {
      default: 3,
      omitZero: true,
      format: 'int32',
    }),
    terminationGracePeriodSeconds: integer('Seconds to end after a failed probe', { format: 'int64' }),
  },
  { description: 'A periodic check of a container' },
);
export type Probe = Infer<typeof probe>;

export const containerPort = object(
  {
    name: string('Name that Services may use as targetPort'),
    containerPort: integer('Port number', { format: 'int32' }),
    protocol: string('Transport protocol', { enum: protocols, default: 'TCP' }),
    hostPort: integer('Port on the node', { omitZero: true, format: 'int32' }),
    hostIP: string('Address on the node'),
  },
  { required: ['containerPort', 'protocol'], description: 'One port a container listens on' },
);
export type ContainerPort = Infer<typeof containerPort>;

export const envVar = object(
  {
    name: string('Name of the variable'),
    value: string('Value of the variable'),
    valueFrom: any('Where the value comes from'),
  },
  { required: ['name'], description: 'One environment variable' },
);

export const container = object(
  {
    name: string('Name, unique within the pod'),
    image: string('Image reference'),
    command: list(string(), 'Program, instead of the image entry point'),
    args: list(string(), 'Arguments'),
    workingDir: string('Working directory'),
    ports: keyedList(containerPort, ['containerPort', 'protocol'], 'Ports the container listens on', {
      patchMergeKey: 'containerPort',
    }),
    env: keyedList(envVar, ['name'], 'Environment variables'),
    envFrom: list(any(), 'Sources of further environment variables'),
    resources: any('Resources asked for and limited to'),
    resizePolicy: list(any(), 'How each resource may be resized'),
    restartPolicy: string('Always makes an init container a sidecar'),
    restartPolicyRules: list(any(), 'Restart rules by exit code'),
    volumeMounts: keyedList(
      object(
        {
          mountPath: string('Path inside the container'),
          name: string('Name of the volume'),
          readOnly: boolean('Whether writing is refused'),
          recursiveReadOnly: string('Whether that holds for mounts below'),
          subPath: string('Path inside the volume'),
          subPathExpr: string('Path inside the volume, with variables'),
          mountPropagation: string('How later mounts spread'),
          bindMountOptions: any('Options of the bind mount'),
        },
        { required: ['mountPath', 'name'] },
      ),
      ['mountPath'],
      'Volumes in the file system',
    ),
    volumeDevices: list(any(), 'Volumes as block devices'),
    livenessProbe: probe,
    readinessProbe: probe,
    startupProbe: probe,
    lifecycle: any('Hooks after the start and before the end'),
    terminationMessagePath: string('File with a last message'),
    terminationMessagePolicy: string('Where the last message is taken from'),
    imagePullPolicy: string('When the image is pulled'),
    securityContext: any('Security settings of the container'),
    stdin: boolean('Whether standard input is kept'),
    stdinOnce: boolean('Whether standard input closes with its first client'),
    tty: boolean('Whether it gets a terminal'),
    targetContainerName: string('For an ephemeral container: whose namespaces it joins'),
  },
  { required: ['name'], description: 'One container' },
);
export type Container = Infer<typeof container>;

export const containerStatus = object(
  {
    name: string('Name of the container'),
    state: any('What it is doing: waiting, running or terminated'),
    lastState: any('How it ended before'),
    ready: boolean('Whether its readiness probe passes'),
    restartCount: integer('How often it was restarted', { format: 'int32' }),
    image: string('Image it runs', { keepEmpty: true }),
    imageID: string('Identity of that image', { keepEmpty: true }),
    containerID: string('Identity of the container'),
    started: boolean('Whether its startup probe has passed'),
    allocatedResources: any('Resources set aside for it'),
    resources: any('Resources it has'),
    volumeMounts: list(any(), 'State of its mounts'),
    user: any('Who it runs as'),
    allocatedResourcesStatus: list(any(), 'State of its devices'),
    stopSignal: string('Signal that ends it'),
  },
  { required: ['name', 'ready', 'restartCount'], description: 'What one container is doing' },
);
export type ContainerStatus = Infer<typeof containerStatus>;

/** Data volumes and their many sources, which Outrigger passes on unread. */
export const volume = object(
  {
    name: string('Name that mounts refer to'),
    ...sources([
      'awsElasticBlockStore',
      'azureDisk',
      'azureFile',
      'cephfs',
      'cinder',
      'configMap',
      'csi',
      'downwardAPI',
      'emptyDir',
      'ephemeral',
      'fc',
      'flexVolume',
      'flocker',
      'gcePersistentDisk',
      'gitRepo',
      'glusterfs',
      'hostPath',
      'image',
      'iscsi',
      'nfs',
      'persistentVolumeClaim',
      'photonPersistentDisk',
      'portworxVolume',
      'projected',
      'quobyte',
      'rbd',
      'scaleIO',
      'secret',
      'storageos',
      'vsphereVolume',
    ]),
  },
  { required: ['name'], description: 'One volume of the pod' },
);

function sources(names: readonly string[]): Record<string, ReturnType<typeof any>> {
  return Object.fromEntries(names.map((name) => [name, any('A volume source')]));
}
