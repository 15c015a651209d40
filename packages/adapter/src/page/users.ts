/**
 * Who may read the page: users with bcrypt hashes, checked in a thread.
 *
 * A check takes a tenth of a second of pure computation, which would stop the sockets of this process; and anybody may
 * ask for one. So there is one thread, one check at a time, few that wait, and what it found is remembered. For a
 * user that does not exist a hash is checked all the same, so that the time tells nothing.
 */

import { createHash, randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';

/** Checks that wait for the one under way; more are refused. */
const maxWaiting = 64;
const maxRemembered = 1000;

/** Of no password anybody has. */
const nobody = '$2b$10$tSltYr0Td2zyMgduvWPcsumhatz9kM7rGnHD93ayPbiK1Uv41rMf6';

export type Verdict = 'yes' | 'no' | 'busy';

interface Waiting {
  readonly hash: string;
  readonly password: string;
  readonly resolve: (matches: boolean) => void;
}

/** Checks passwords against hashes in a thread that is started when first needed. */
export class HashThread {
  #worker: Worker | undefined;
  readonly #waiting: Waiting[] = [];

  get waiting(): number {
    return this.#waiting.length;
  }

  check(hash: string, password: string): Promise<boolean> {
    return new Promise((resolve) => {
      this.#waiting.push({ hash, password, resolve });
      if (this.#waiting.length === 1) this.#next();
    });
  }

  async close(): Promise<void> {
    for (const { resolve } of this.#waiting.splice(0)) resolve(false);
    await this.#worker?.terminate();
  }

  #next(): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    this.#worker ??= this.#start();
    this.#worker.postMessage({ hash: first.hash, password: first.password }, []);
  }

  #start(): Worker {
    // The same file under tests (sources) and installed (compiled).
    const file = import.meta.url.endsWith('.ts') ? './hash-worker.ts' : './hash-worker.js';
    const worker = new Worker(new URL(file, import.meta.url), { name: 'passwords' });
    worker.unref();
    worker.on('message', (matches: boolean) => {
      this.#waiting.shift()?.resolve(matches);
      this.#next();
    });
    // A thread that died is replaced by the next check; who waited is refused.
    worker.on('error', () => {
      this.#worker = undefined;
      for (const { resolve } of this.#waiting.splice(0)) resolve(false);
    });
    return worker;
  }
}

export class Users {
  readonly #users: ReadonlyMap<string, string>;
  readonly #thread: HashThread;
  readonly #key = randomBytes(32);
  /** Digests of what was checked → what was found; a key of our own, so that none can be made to collide. */
  readonly #found = new Map<string, boolean>();

  constructor(users: ReadonlyMap<string, string>, thread: HashThread) {
    this.#users = users;
    this.#thread = thread;
  }

  /** `header`: Authorization. */
  async check(header: string | undefined): Promise<Verdict> {
    if (this.#users.size === 0) return 'yes';
    const credentials = readBasic(header);
    if (credentials === undefined) return 'no';
    const { name, password } = credentials;
    const known = this.#users.get(name);
    const digest = createHash('sha256')
      .update(this.#key)
      .update(`${name.length}:${name}${password.length}:${password}${known ?? ''}`)
      .digest('base64');
    const found = this.#found.get(digest);
    if (found !== undefined) return found ? 'yes' : 'no';
    if (this.#thread.waiting >= maxWaiting) return 'busy';
    const matches = (await this.#thread.check(known ?? nobody, password)) && known !== undefined;
    this.#remember(digest, matches);
    return matches ? 'yes' : 'no';
  }

  #remember(digest: string, matches: boolean): void {
    if (this.#found.size >= maxRemembered) {
      const [oldest = ''] = this.#found.keys();
      this.#found.delete(oldest);
    }
    this.#found.set(digest, matches);
  }
}

function readBasic(header: string | undefined): { name: string; password: string } | undefined {
  const match = /^basic +([a-z0-9+/=]+)$/i.exec(header ?? '');
  if (match === null || (header ?? '').length > 4096) return undefined;
  const text = Buffer.from(match[1] ?? '', 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}
