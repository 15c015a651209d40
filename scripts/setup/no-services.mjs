/**
 * Keeps package installation from starting the services it brings, by Debian's own means: a policy-rc.d that says no.
 * One that is there already is moved aside and always put back, also by the next run when this one was killed.
 */

import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

const POLICY = '/usr/sbin/policy-rc.d';
const ASIDE = `${POLICY}.before-outrigger`;
const MARK = '# Put here by the set-up of Outrigger while it installs packages; removed afterwards.';
const SAYS_NO = `#!/bin/sh\n${MARK}\nexit 101\n`;
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Runs `work` with services kept from starting. */
export async function withoutServices(work, { policy = POLICY, aside = ASIDE } = {}) {
  restore(policy, aside);
  if (existsSync(policy)) renameSync(policy, aside);
  writeFileSync(policy, SAYS_NO, { mode: 0o755 });
  const onSignal = (signal) => {
    restore(policy, aside);
    for (const name of ENDING) process.off(name, onSignal);
    process.kill(process.pid, signal);
  };
  for (const name of ENDING) process.on(name, onSignal);
  try {
    return await work();
  } finally {
    for (const name of ENDING) process.off(name, onSignal);
    restore(policy, aside);
  }
}

/** Removes only what carries our mark: never somebody else's policy. */
function restore(policy, aside) {
  if (existsSync(policy) && readFileSync(policy, 'utf8').includes(MARK)) rmSync(policy);
  if (existsSync(aside) && !existsSync(policy)) renameSync(aside, policy);
}
