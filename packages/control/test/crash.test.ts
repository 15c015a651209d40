/** Acknowledged is durable: kill -9 in the middle of a thousand writes loses none that was answered. */

import { join } from 'node:path';
import { test } from 'tap';
import type { Test } from 'tap';
import { startProcess, tempDir } from '../../../test/harness/index.ts';
import type { RunningProcess } from '../../../test/harness/index.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const writes = 1_000;

async function serve(t: Test, dir: string): Promise<{ process: RunningProcess; url: string }> {
  const args = ['--conditions=@outrigger/source', join(import.meta.dirname, 'serve.ts'), dir];
  const running = await startProcess(t, process.execPath, args, { ready: /^http:.*\n/m });
  return { process: running, url: running.stdout.trim() };
}

test('no acknowledged write is lost, and revisions do not go back', async (t) => {
  const dir = tempDir(t);
  const first = await serve(t, dir);
  let acknowledged = 0;
  let highest = 0;
  const names = new Set<string>();
  const half = Promise.withResolvers<void>();
  const one = async (i: number): Promise<void> => {
    const body = JSON.stringify({ metadata: { name: `c${i}` }, data: { value: 'x'.repeat(1_000) } });
    const response = await fetch(first.url + configMaps, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
    const answer = (await response.json()) as { metadata: { name: string; resourceVersion: string } };
    if (response.status !== 201) return;
    names.add(answer.metadata.name);
    highest = Math.max(highest, Number(answer.metadata.resourceVersion));
    if (++acknowledged === writes / 2) half.resolve();
  };
  const all = Promise.allSettled(Array.from({ length: writes }, (_, i) => one(i)));
  await half.promise;
  first.process.signal('SIGKILL');
  await all;
  await first.process.exited;
  t.ok(names.size >= writes / 2, `${names.size} were answered before the end`);
  const second = await serve(t, dir);
  const list = (await (await fetch(second.url + configMaps)).json()) as {
    metadata: { resourceVersion: string };
    items: { metadata: { name: string; resourceVersion: string } }[];
  };
  const kept = new Set(list.items.map(({ metadata }) => metadata.name));
  t.same(
    [...names].filter((name) => !kept.has(name)),
    [],
    'every answered write is there',
  );
  t.ok(Number(list.metadata.resourceVersion) >= highest, 'the revision did not go back');
});
