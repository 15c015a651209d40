/** Who carries a port: by mode, by what it speaks, by whether a policy asks for more. */

import { test } from 'tap';
import { handlingOf } from '../../src/plan/index.ts';
import type { Handling } from '../../src/plan/index.ts';
import type { Protocol } from '../../src/catalog/index.ts';

function port(name: string, appProtocol = '', protocol: Protocol = 'TCP'): Parameters<typeof handlingOf>[0] {
  return { name, appProtocol, protocol, port: 80, nodePort: 0 };
}

test('userspace: HTTP by appProtocol, else by name', (t) => {
  const want: [string, string, Handling][] = [
    ['http', '', 'l7'],
    ['http-web', '', 'l7'],
    ['grpc-api', '', 'l7'],
    ['httpd', '', 'l4'],
    ['https', '', 'l4'],
    ['', '', 'l4'],
    ['redis', '', 'l4'],
    ['db', 'http', 'l7'],
    ['db', 'HTTP2', 'l7'],
    ['db', 'kubernetes.io/h2c', 'l7'],
    ['db', 'kubernetes.io/ws', 'l7'],
    ['db', 'kubernetes.io/wss', 'l4'],
    ['http', 'tcp', 'l4'],
    ['http', 'https', 'l4'],
  ];
  for (const [name, appProtocol, handling] of want) {
    t.equal(handlingOf(port(name, appProtocol), 'userspace', false), handling, `${name} ${appProtocol}`);
  }
  t.equal(handlingOf(port('http', '', 'UDP'), 'userspace', false), 'l4', 'only TCP carries HTTP here');
  t.end();
});

test('kernel modes: everything stays in the kernel but HTTP with a policy', (t) => {
  for (const mode of ['nftables', 'iptables'] as const) {
    t.equal(handlingOf(port('http'), mode, false), 'kernel');
    t.equal(handlingOf(port('http'), mode, true), 'l7');
    t.equal(handlingOf(port('redis'), mode, true), 'kernel');
  }
  t.end();
});
