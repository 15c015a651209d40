/** Runs a program of the set-up to its end, quietly and within a time limit. */

import { spawn } from 'node:child_process';

const KEPT_OUTPUT = 64 * 1024;
const KILL_AFTER_MS = 10_000;

/**
 * Resolves to `{ code, output }` (stdout and stderr together, the last 64 KiB); a program that cannot be started or
 * exceeds `timeoutMs` has code -1 and says so at the end of its output.
 */
export function command(file, args, { timeoutMs, env = process.env, cwd } = {}) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-KEPT_OUTPUT);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    let timedOut = false;
    const limit = setTimeout(() => {
      timedOut = true;
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS).unref();
    }, timeoutMs);
    const finish = (code, note) => {
      clearTimeout(limit);
      resolve({ code, output: note === undefined ? output : `${output}\n${note}` });
    };
    child.once('error', (error) => finish(-1, `${file} could not be started: ${error.message}`));
    child.once('close', (code, signal) => {
      if (timedOut) finish(-1, `${file} was stopped after ${timeoutMs / 1000} s`);
      else finish(code ?? -1, signal === null ? undefined : `${file} was ended by ${signal}`);
    });
  });
}

/** The last lines of a program's output, indented, for an error message. */
export function tail(output, lines = 15) {
  const kept = output.trimEnd().split('\n').slice(-lines);
  return kept.map((line) => `    ${line}`).join('\n');
}
