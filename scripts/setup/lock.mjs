/**
 * One set-up at a time in one clone. The lock is a symbolic link whose target names its owner, because a link is made
 * together with its content in one step: nobody ever reads a half-written owner. An owner that died is told by its
 * process id and start time and its lock is taken away under a second, momentary lock.
 */

import { mkdirSync, readFileSync, readlinkSync, rmdirSync, statSync, symlinkSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from './paths.mjs';
import { say } from './say.mjs';

const POLL_MS = 100;
const BREAKING_TAKES_AT_MOST_MS = 5_000;

/** Runs `work` while no other set-up of this clone runs under the same name. */
export async function withLock(name, work) {
  const path = join(root, '.cache', `${name}.lock`);
  mkdirSync(dirname(path), { recursive: true });
  await acquire(path);
  try {
    return await work();
  } finally {
    unlinkSync(path);
  }
}

async function acquire(path) {
  const me = `${process.pid}:${startTime(process.pid)}`;
  let told = false;
  while (!tryCreate(path, me)) {
    const owner = readOwner(path);
    if (owner !== undefined && !isAlive(owner)) breakLock(path);
    else if (!told) {
      say(`· Another set-up is under way here (process ${owner?.split(':')[0] ?? '?'}); waiting for it …`);
      told = true;
    }
    await sleep(POLL_MS);
  }
}

function tryCreate(path, owner) {
  try {
    symlinkSync(owner, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function readOwner(path) {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // released meanwhile: the next try will tell
  }
}

/** Process ids are used again, so the start time is part of who an owner is. */
function isAlive(owner) {
  const [pid, started] = owner.split(':');
  return startTime(Number(pid)) === started;
}

function startTime(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return pidExists(pid) ? 'running' : 'gone';
  }
}

/** For systems without /proc. */
function pidExists(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Looks at the owner again inside the second lock: another waiter may have broken and taken the lock already. */
function breakLock(path) {
  const breaking = `${path}.breaking`;
  try {
    mkdirSync(breaking);
  } catch {
    if (ageMs(breaking) > BREAKING_TAKES_AT_MOST_MS) rmdirSync(breaking);
    return;
  }
  const owner = readOwner(path);
  if (owner !== undefined && !isAlive(owner)) unlinkSync(path);
  rmdirSync(breaking);
}

function ageMs(path) {
  const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return made === undefined ? 0 : Date.now() - made;
}
