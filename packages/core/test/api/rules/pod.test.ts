import { podKind } from '@outrigger/core/api';
import { test } from 'tap';
import type { Loose } from '../fixtures.ts';
import { named, pod, problems, where } from '../fixtures.ts';

const probe = (fields: Loose): Loose => pod({}, { readinessProbe: { tcpSocket: { port: 80 }, ...fields } });

const good: Record<string, Loose> = {
  minimal: pod(),
  ports: pod(
    {},
    {
      ports: [
        { name: 'http', containerPort: 80 },
        { containerPort: 53, protocol: 'UDP', hostPort: 53, hostIP: '10.0.0.1' },
      ],
    },
  ),
  'every kind of probe': pod(
    {},
    {
      readinessProbe: {
        httpGet: { path: '/ready?x=1', port: 'http', httpHeaders: [{ name: 'a', value: '' }] },
        successThreshold: 2,
      },
      livenessProbe: { tcpSocket: { port: 80 }, initialDelaySeconds: 3 },
      startupProbe: { exec: { command: ['true'] } },
    },
  ),
  'a gRPC probe': pod({}, { livenessProbe: { grpc: { port: 80, service: '' } } }),
  'a sidecar': pod({ initContainers: [{ name: 'proxy', image: 'p', restartPolicy: 'Always' }] }),
  'gates and a node': pod({
    readinessGates: [{ conditionType: 'example.com/ready' }],
    nodeName: 'n',
    hostname: 'web-0',
  }),
  status: { ...pod(), status: { phase: 'Running', podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }] } },
};

for (const [name, object] of Object.entries(good)) {
  test(`accepts ${name}`, (t) => {
    t.same(problems(podKind, object), []);
    t.end();
  });
}

const bad: [string, Loose, string[]][] = [
  ['no spec', named({}), ['Required spec']],
  ['no containers', pod({ containers: [] }), ['Required spec.containers']],
  ['a container without a name', pod({ containers: [{ image: 'a' }] }), ['Required spec.containers[0].name']],
  ['a container without an image', pod({}, { image: '' }), ['Required spec.containers[0].image']],
  ['a bad container name', pod({}, { name: 'A' }), ['Invalid spec.containers[0].name']],
  [
    'one name for two containers',
    pod({ initContainers: [{ name: 'app', image: 'a' }] }),
    ['Duplicate spec.initContainers[0].name'],
  ],
  [
    'port 0',
    pod({}, { ports: [{ containerPort: 0 }] }),
    ['Invalid spec.containers[0].ports[0].containerPort'],
  ],
  [
    'a host port above all ports',
    pod({}, { ports: [{ containerPort: 1, hostPort: 70_000 }] }),
    ['Invalid spec.containers[0].ports[0].hostPort'],
  ],
  [
    'a host address that is none',
    pod({}, { ports: [{ containerPort: 1, hostIP: 'x' }] }),
    ['Invalid spec.containers[0].ports[0].hostIP'],
  ],
  [
    'a long port name',
    pod({}, { ports: [{ containerPort: 1, name: 'a'.repeat(16) }] }),
    ['Invalid spec.containers[0].ports[0].name'],
  ],
  [
    'one port name twice',
    pod(
      {},
      {
        ports: [
          { containerPort: 1, name: 'a' },
          { containerPort: 2, name: 'a' },
        ],
      },
    ),
    ['Duplicate spec.containers[0].ports[1].name'],
  ],
  ['a probe of nothing', pod({}, { readinessProbe: {} }), ['Required spec.containers[0].readinessProbe']],
  [
    'a probe of two things',
    probe({ httpGet: { port: 80 } }),
    ['Forbidden spec.containers[0].readinessProbe.tcpSocket'],
  ],
  [
    'a probe of a path that is none',
    pod({}, { readinessProbe: { httpGet: { port: 80, path: 'a' } } }),
    ['Invalid spec.containers[0].readinessProbe.httpGet.path'],
  ],
  [
    'a probe of port 0',
    pod({}, { readinessProbe: { httpGet: { port: 0 } } }),
    ['Invalid spec.containers[0].readinessProbe.httpGet.port'],
  ],
  [
    'a probe of a bad port name',
    pod({}, { readinessProbe: { tcpSocket: { port: '-a' } } }),
    ['Invalid spec.containers[0].readinessProbe.tcpSocket.port'],
  ],
  [
    'a probe by an unknown scheme',
    pod({}, { readinessProbe: { httpGet: { port: 80, scheme: 'FTP' } } }),
    ['NotSupported spec.containers[0].readinessProbe.httpGet.scheme'],
  ],
  [
    'a probe of gRPC port 0',
    pod({}, { readinessProbe: { grpc: { port: 0 } } }),
    ['Invalid spec.containers[0].readinessProbe.grpc.port'],
  ],
  [
    'a probe by no command',
    pod({}, { readinessProbe: { exec: {} } }),
    ['Required spec.containers[0].readinessProbe.exec.command'],
  ],
  [
    'negative probe numbers',
    probe({ periodSeconds: -1, timeoutSeconds: -1 }),
    [
      'Invalid spec.containers[0].readinessProbe.timeoutSeconds',
      'Invalid spec.containers[0].readinessProbe.periodSeconds',
    ],
  ],
  [
    'a liveness probe that needs two successes',
    pod({}, { livenessProbe: { tcpSocket: { port: 80 }, successThreshold: 2 } }),
    ['Invalid spec.containers[0].livenessProbe.successThreshold'],
  ],
  ['a bad node name', pod({ nodeName: 'A' }), ['Invalid spec.nodeName']],
  ['a bad host name', pod({ hostname: 'a.b' }), ['Invalid spec.hostname']],
  [
    'a bad gate',
    pod({ readinessGates: [{ conditionType: 'a b' }] }),
    ['Invalid spec.readinessGates[0].conditionType'],
  ],
  ['a bad node selector', pod({ nodeSelector: { a: 'x y' } }), ['Invalid spec.nodeSelector']],
  [
    'negative grace',
    pod({ terminationGracePeriodSeconds: -1 }),
    ['Invalid spec.terminationGracePeriodSeconds'],
  ],
  ['a deadline of nothing', pod({ activeDeadlineSeconds: 0 }), ['Invalid spec.activeDeadlineSeconds']],
  ['an unknown restart policy', pod({ restartPolicy: 'Sometimes' }), ['NotSupported spec.restartPolicy']],
  [
    'an address that is none',
    { ...pod(), status: { podIPs: [{ ip: 'x' }] } },
    ['Invalid status.podIPs[0].ip'],
  ],
];

for (const [name, object, want] of bad) {
  test(`refuses ${name}`, (t) => {
    t.same(where(problems(podKind, object)), want);
    t.end();
  });
}

test('a running pod may get another image, toleration, deadline and its first node', (t) => {
  const changed = pod(
    { nodeName: 'n', tolerations: [{ key: 'a' }], activeDeadlineSeconds: 5 },
    { image: 'web:2' },
  );
  t.same(problems(podKind, changed, pod()), []);
  t.end();
});

test('everything else of a pod stays', (t) => {
  t.same(where(problems(podKind, pod({}, { args: ['x'] }), pod())), ['Forbidden spec']);
  t.same(where(problems(podKind, pod({ nodeName: 'b' }), pod({ nodeName: 'a' }))), ['Forbidden spec']);
  t.same(where(problems(podKind, pod({ hostNetwork: true }), pod())), ['Forbidden spec']);
  t.match(
    problems(podKind, pod({ hostNetwork: true }), pod())[0],
    'pod updates may not change fields other than',
  );
  t.end();
});
