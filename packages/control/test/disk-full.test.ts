/** A disk that is really full: writes are refused with the reason, reads and watches go on, and space brings writes back. */

import { rmSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { test } from 'tap';
import { needs, startProcess, tempDir } from '../../../test/harness/index.ts';
import { eventually } from '@outrigger/core/testing';

const configMaps = '/api/v1/namespaces/default/configmaps';

interface Reply {
  readonly status: number;
  readonly body: { reason: string; message: string; metadata: { resourceVersion: string }; items: object[] };
}

async function ask(url: string, method: string, body?: object): Promise<Reply> {
  const text = body === undefined ? null : JSON.stringify(body);
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method, headers, body: text });
  return { status: response.status, body: (await response.json()) as Reply['body'] };
}

test('writes on a full disk', needs('netns'), async (t) => {
  const dir = tempDir(t);
  const script = [
    `mount -t tmpfs -o size=8m none ${dir}`,
    `head -c 4000000 /dev/zero > ${dir}/ballast`,
    `exec ${process.execPath} --conditions=@outrigger/source ${join(import.meta.dirname, 'serve.ts')} ${dir}/data`,
  ].join(' && ');
  const args = ['--mount', '--propagation', 'private', 'sh', '-c', script];
  const running = await startProcess(t, 'unshare', args, { ready: /^http:.*\n/m });
  const url = running.stdout.trim();
  const create = (name: string): Promise<Reply> =>
    ask(url + configMaps, 'POST', { metadata: { name }, data: { value: 'x'.repeat(200_000) } });
  let written = 0;
  let refused: Reply | undefined;
  while (refused === undefined && written < 100) {
    const reply = await create(`c${written}`);
    if (reply.status === 201) written++;
    else refused = reply;
  }
  t.match(refused, {
    status: 503,
    body: { reason: 'ServiceUnavailable', message: /takes no writes: .*free space/ },
  });
  const listed = await ask(url + configMaps, 'GET');
  t.equal(listed.body.items.length, written, 'everything acknowledged is read');
  const { resourceVersion } = listed.body.metadata;
  const told = new Promise<string>((resolve, reject) => {
    const watch = http.get(`${url}${configMaps}?watch=1&resourceVersion=${resourceVersion}`, (response) => {
      response.setEncoding('utf8').once('data', resolve);
    });
    watch.once('error', reject);
    t.teardown(() => watch.destroy());
  });
  rmSync(`/proc/${running.pid}/root${dir}/ballast`);
  await eventually('writes are taken again', async () => (await create('after')).status !== 503, 20_000);
  t.match(await told, /"name":"after"/, 'the watch went on');
  t.equal((await ask(url + configMaps, 'GET')).body.items.length, written + 1);
});
