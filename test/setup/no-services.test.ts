/** Services are kept from starting by a policy that is always taken away again, and never costs anybody theirs. */

import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { withoutServices } from '../../scripts/setup/no-services.mjs';
import { root } from '../../scripts/setup/paths.mjs';
import { startProcess, tempDir } from '../harness/index.ts';
import type { Teardown } from '../harness/index.ts';

function places(t: Teardown): { policy: string; aside: string } {
  const folder = tempDir(t);
  return { policy: join(folder, 'policy-rc.d'), aside: join(folder, 'aside') };
}

function exitCode(policy: string): unknown {
  try {
    execFileSync(policy, ['nginx', 'start']);
    return 0;
  } catch (error) {
    return (error as { status?: number }).status;
  }
}

test('the policy says no while packages are installed, and is gone afterwards', async (t) => {
  const at = places(t);
  await withoutServices(() => t.equal(exitCode(at.policy), 101), at);
  t.notOk(existsSync(at.policy));
});

test("somebody's own policy comes back, also after a failure", async (t) => {
  const at = places(t);
  writeFileSync(at.policy, '#!/bin/sh\nexit 0\n');
  chmodSync(at.policy, 0o755);
  const failing = withoutServices(() => {
    t.equal(exitCode(at.policy), 101);
    throw new Error('apt failed');
  }, at);
  await t.rejects(failing, /apt failed/);
  t.equal(readFileSync(at.policy, 'utf8'), '#!/bin/sh\nexit 0\n');
  t.equal(exitCode(at.policy), 0, 'still executable');
});

test('it comes back when we are stopped, and by the next run when we were killed', async (t) => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const at = places(t);
    writeFileSync(at.policy, 'theirs');
    const script = `
      import { withoutServices } from ${JSON.stringify(join(root, 'scripts/setup/no-services.mjs'))};
      await withoutServices(() => {
        console.log('installing');
        return new Promise(() => setInterval(() => {}, 1000));
      }, ${JSON.stringify(at)});`;
    const running = await startProcess(t, process.execPath, ['--input-type=module', '-e', script], {
      ready: /installing/,
    });
    running.signal(signal);
    t.same(await running.exited, { code: null, signal });
    if (signal === 'SIGKILL') await withoutServices(() => {}, at);
    t.equal(readFileSync(at.policy, 'utf8'), 'theirs', signal);
    t.notOk(existsSync(at.aside));
  }
});
