/** HTTP as clients and proxies really speak it. */

import { connect } from 'node:net';
import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { startControl } from '../harness.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';

test('a request target that names the server is understood', async (t) => {
  const control = await startControl(t);
  t.equal((await control.get(`${control.url}/healthz`)).text, 'ok');
  const listed = await control.get(`${control.url}${configMaps}?limit=1`);
  t.match(listed, { status: 200, body: { kind: 'ConfigMapList' } });
});

test('a client that leaves in the middle of its body is no failure of the server', async (t) => {
  const control = await startControl(t);
  const { port, hostname } = new URL(control.url);
  const socket = connect(Number(port), hostname);
  t.teardown(() => socket.destroy());
  const head = `POST ${configMaps} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n`;
  socket.write(head);
  // The server asks for the body once a handler waits for it.
  await new Promise((resolve) => socket.once('data', resolve));
  socket.end('{"meta');
  const counted = await eventually('the request is counted', async () => {
    const { text } = await control.get('/metrics');
    return /outrigger_control_request_total\{verb="create",resource="configmaps",code="(\d+)"\}/.exec(text);
  });
  t.equal(counted[1], '400');
});
