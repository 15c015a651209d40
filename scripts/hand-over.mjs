/**
 * Runs a child as if this process had become it: same terminal, each signal delivered once, same exit code.
 *
 * A terminal sends Ctrl-C to every process of the foreground group and npm forwards it once more to us; a child that
 * takes a second Ctrl-C for "now!" must not see that echo. So on a terminal we only wait (the child has got its own).
 * Without one, signals are sent to npm or to us and are passed on, echoes dropped; `ownSession` then also keeps the
 * child out of our process group, for whoever signals the whole group.
 */

import { spawn } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { root } from './setup/paths.mjs';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];
const SENT_BY_THE_TERMINAL = ['SIGINT', 'SIGQUIT'];
const ECHO_MS = 500;

/** Resolves to the exit code; a child ended by a signal ends this process by the same signal. */
export function handOver(file, args, { ownSession = false, env = process.env, stdio = 'inherit' } = {}) {
  const onTerminal = process.stdin.isTTY;
  const child = spawn(file, args, {
    cwd: root,
    env: withToolchain(env, file),
    stdio,
    detached: ownSession && !onTerminal,
  });
  const stopForwarding = forwardSignals(child, onTerminal);
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      stopForwarding();
      reject(new Error(`cannot run ${file}`, { cause: error }));
    });
    child.once('exit', (code, signal) => {
      stopForwarding();
      if (signal !== null) process.kill(process.pid, signal);
      resolve(code ?? 1);
    });
  });
}

/** What the child starts by name (`node`, `tsc`, `tap`) is what the lockfile pins, never the machine's own. */
function withToolchain(env, node) {
  const path = [dirname(node), join(root, 'node_modules/.bin'), env.PATH ?? ''].join(delimiter);
  return { ...env, PATH: path };
}

function forwardSignals(child, onTerminal) {
  const lastAt = new Map();
  const onSignal = (signal) => {
    const now = Date.now();
    const echo = now - (lastAt.get(signal) ?? 0) < ECHO_MS;
    lastAt.set(signal, now);
    if (!echo && !(onTerminal && SENT_BY_THE_TERMINAL.includes(signal))) child.kill(signal);
  };
  for (const signal of FORWARDED) process.on(signal, onSignal);
  return () => {
    for (const signal of FORWARDED) process.off(signal, onSignal);
  };
}
