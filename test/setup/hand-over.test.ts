/** The child of an npm script gets each signal once, keeps its terminal, and its exit code is ours. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@outrigger/core/testing';
import { test } from 'tap';
import { findInPath, root } from '../../scripts/setup/paths.mjs';
import { needs, startProcess, tempDir, toolPath } from '../harness/index.ts';
import type { Teardown } from '../harness/index.ts';

/** Writes a line for each signal it gets, and ends half a second after the first. */
const CHILD = `
  import { appendFileSync } from 'node:fs';
  const log = process.argv[2];
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {
    appendFileSync(log, signal + '\\n');
    setTimeout(() => process.exit(7), 500);
  });
  appendFileSync(log, 'started\\n');
  setInterval(() => {}, 1000);
`;

/** A folder with the child, a parent that hands over to it, and an npm script for the parent. */
function project(t: Teardown): { folder: string; log: string; parent: string } {
  const folder = tempDir(t);
  const child = join(folder, 'child.mjs');
  const parent = join(folder, 'parent.mjs');
  const log = join(folder, 'log');
  mkdirSync(folder, { recursive: true });
  writeFileSync(child, CHILD);
  writeFileSync(
    parent,
    `import { handOver } from ${JSON.stringify(join(root, 'scripts/hand-over.mjs'))};
     const options = { ownSession: process.argv[2] === 'own' };
     process.exitCode = await handOver(process.execPath, [${JSON.stringify(child)}, ${JSON.stringify(log)}], options);`,
  );
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ scripts: { start: `node parent.mjs` } }));
  writeFileSync(log, '');
  return { folder, log, parent };
}

const read = (path: string): string => readFileSync(path, 'utf8');

test('without a terminal a signal and its echo arrive as one, and the exit code passes through', async (t) => {
  const { log, parent } = project(t);
  const running = await startProcess(t, process.execPath, [parent]);
  await eventually('the child runs', () => read(log) === 'started\n');
  running.signal('SIGTERM');
  await eventually('it has arrived', () => read(log).includes('SIGTERM'));
  running.signal('SIGTERM');
  t.same(await running.exited, { code: 7, signal: null });
  t.equal(read(log), 'started\nSIGTERM\n');
});

test('a signal to the whole group still arrives once when the child has a session of its own', async (t) => {
  const { log, parent } = project(t);
  const running = await startProcess(t, process.execPath, [parent, 'own']);
  await eventually('the child runs', () => read(log) === 'started\n');
  process.kill(-running.pid, 'SIGTERM');
  t.same(await running.exited, { code: 7, signal: null });
  t.equal(read(log), 'started\nSIGTERM\n');
});

test('a child ended by a signal ends us by the same', async (t) => {
  const { folder, parent } = project(t);
  writeFileSync(join(folder, 'child.mjs'), `process.kill(process.pid, 'SIGKILL');`);
  const running = await startProcess(t, process.execPath, [parent]);
  t.same(await running.exited, { code: null, signal: 'SIGKILL' });
});

const npm = findInPath('npm') === undefined ? { skip: 'npm is not on the PATH' } : {};

test('Ctrl-C under npm on a terminal arrives once', { ...needs('tmux'), ...npm }, async (t) => {
  const { folder, log } = project(t);
  const tmux = ['-S', join(folder, 'tmux'), '-f', '/dev/null'];
  const command = `trap : INT; npm start --silent; echo "code $?" >> ${log}`;
  const server = await startProcess(t, toolPath('tmux'), [...tmux, '-D'], { cwd: folder });
  await eventually('tmux listens', async () => {
    const one = await startProcess(t, toolPath('tmux'), [
      ...tmux,
      'new-session',
      '-d',
      '-c',
      folder,
      command,
    ]);
    return (await one.exited).code === 0;
  });
  await eventually('the child runs', () => read(log) === 'started\n');
  const keys = await startProcess(t, toolPath('tmux'), [...tmux, 'send-keys', 'C-c']);
  await keys.exited;
  await eventually('the child ended', () => read(log).includes('code'));
  // The code is npm's own word for an interrupted script.
  t.equal(read(log).replace(/code.*\n/, ''), 'started\nSIGINT\n');
  await server.stop();
});
