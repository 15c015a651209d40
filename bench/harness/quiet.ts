/** Whether the machine is quiet enough for figures to mean something. */

import { cpus } from 'node:os';

/** Share of all CPUs that somebody used while nothing of ours ran, 0 to 1. */
export async function busyShare(seconds: number): Promise<number> {
  const before = times();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const after = times();
  return 1 - (after.idle - before.idle) / (after.all - before.all);
}

function times(): { idle: number; all: number } {
  let [idle, all] = [0, 0];
  for (const cpu of cpus()) {
    idle += cpu.times.idle;
    all += Object.values(cpu.times).reduce((sum, ms) => sum + ms, 0);
  }
  return { idle, all };
}
