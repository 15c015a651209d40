/** Real programs in tests: started, waited for, and gone when the test ends, however it ends. */

import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { connect } from 'node:net';
import type { Readable } from 'node:stream';
import { findInPath } from '../../scripts/setup/paths.mjs';
import type { Teardown } from './teardown.ts';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProcessOptions {
  /** Started is: a line of stdout or stderr matches, or something listens on the port of loopback. Default: at once. */
  readonly ready?: RegExp | { readonly port: number };
  /** Default 10 000. */
  readonly readyTimeoutMs?: number;
  /** Added to this process's environment. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

const POLL_MS = 10;
const STOP_LIMIT_MS = 5_000;

export class RunningProcess {
  readonly pid: number;
  /** Resolves, never rejects, when the program has ended and its output is complete. */
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  #stdout = '';
  #stderr = '';
  #exit: Exit | undefined;
  readonly #watchers = new Set<() => void>();

  /** Use `startProcess`. */
  constructor(child: ChildProcessByStdio<null, Readable, Readable>, pid: number) {
    this.#child = child;
    this.pid = pid;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#changed();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#changed();
    });
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#exit = { code, signal };
        this.#changed();
        resolve(this.#exit);
      });
    });
  }

  /** Everything written so far. */
  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Resolves with the first match in stdout or stderr; rejects when the program ends without it or time is up. */
  matched(pattern: RegExp, timeoutMs = 10_000): Promise<RegExpExecArray> {
    return this.#until(`output matching ${pattern}`, timeoutMs, () => {
      return pattern.exec(this.#stdout) ?? pattern.exec(this.#stderr) ?? undefined;
    });
  }

  /** Resolves when something accepts connections on the port. */
  async listening(port: number, timeoutMs = 10_000): Promise<void> {
    let open = false;
    const poll = setInterval(() => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => {
        open = true;
        this.#changed();
      });
      socket.once('connect', () => socket.destroy()).once('error', () => socket.destroy());
    }, POLL_MS);
    try {
      await this.#until(`a listener on port ${port}`, timeoutMs, () => open || undefined);
    } finally {
      clearInterval(poll);
    }
  }

  get ended(): boolean {
    return this.#exit !== undefined;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Ends the program and what it started: asks first, insists after five seconds. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    this.#child.kill(signal);
    // What it started may hold its output open, and `exited` with it, so the rest of the group goes first.
    const insist = setTimeout(() => this.#killGroup(), STOP_LIMIT_MS);
    this.#child.once('exit', () => this.#killGroup());
    const exit = await this.exited;
    clearTimeout(insist);
    this.#killGroup();
    return exit;
  }

  /** The program leads a group of its own (`detached`), so this reaches what it has started too. */
  #killGroup(): void {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }

  #until<T>(what: string, timeoutMs: number, check: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const done = (settle: () => void): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        settle();
      };
      const look = (): void => {
        const answer = check();
        if (answer !== undefined) done(() => resolve(answer));
        else if (this.#exit !== undefined) done(() => reject(this.#failure(`ended before ${what}`)));
      };
      const timer = setTimeout(
        () => done(() => reject(this.#failure(`no ${what} within ${timeoutMs} ms`))),
        timeoutMs,
      );
      this.#watchers.add(look);
      look();
    });
  }

  #failure(what: string): Error {
    const ended = this.#exit === undefined ? '' : ` (${JSON.stringify(this.#exit)})`;
    const name = this.#child.spawnargs.join(' ');
    return new Error(`${name}: ${what}${ended}\n${this.#stdout.slice(-2000)}\n${this.#stderr.slice(-2000)}`);
  }
}

/** Resolves when the program is ready; it is ended with the test, and by the kernel should the test be killed. */
export async function startProcess(
  t: Teardown,
  file: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<RunningProcess> {
  const [command, prefix] = diesWithUs(file);
  const child = spawn(command, [...prefix, ...args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const { pid } = child;
  if (pid === undefined) {
    return new Promise((_, reject) =>
      child.once('error', (cause) => reject(new Error(`cannot start ${file}`, { cause }))),
    );
  }
  const running = new RunningProcess(child, pid);
  t.teardown(() => running.stop());
  const { ready, readyTimeoutMs } = options;
  if (ready instanceof RegExp) await running.matched(ready, readyTimeoutMs);
  else if (ready !== undefined) await running.listening(ready.port, readyTimeoutMs);
  return running;
}

/** `setpriv` asks the kernel to end the program when we end, then becomes it: same process id. */
function diesWithUs(file: string): [string, string[]] {
  const setpriv = findInPath('setpriv');
  return setpriv === undefined ? [file, []] : [setpriv, ['--pdeathsig', 'KILL', '--', file]];
}
