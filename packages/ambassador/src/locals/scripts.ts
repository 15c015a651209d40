/**
 * The script bodies clients have shown, by their SHA1. A server that was restarted or elected since, or a replica, has
 * never seen them: its -NOSCRIPT is healed by loading the body there and asking again.
 *
 * A client that sends the same EVAL ten thousand times a second must not have it hashed each time: a body is compared with
 * the last one of its length first, which costs about a tenth.
 */

import { createHash } from 'node:crypto';
import { encodeCommand } from '@outrigger/core/resp';
import { declaresNoWrites } from '../commands/examine.ts';
import { isWord } from './arguments.ts';

export interface Script {
  /** Lower case, as Redis keeps it. */
  readonly sha: string;
  /** Undefined: EVALSHA of a body that nobody has shown, or that had to make room. */
  readonly body: Uint8Array | undefined;
}

export class ScriptBook {
  /** Bytes of bodies kept; the least recently used make room. Default 16 MiB. Raised: more memory, fewer -NOSCRIPT. */
  readonly maxScriptBytes: number;
  /** Least recently used first. */
  readonly #scripts = new Map<string, Kept>();
  readonly #byLength = new Map<number, Kept>();
  /** The most recently used: a script that is run again and again is not moved each time. */
  #latest: Kept | undefined;
  #bytes = 0;
  #evicted = 0;
  #learned = 0;
  /** Of those that are kept. */
  #readers = 0;

  constructor(maxScriptBytes: number = 16 * 1024 * 1024) {
    this.maxScriptBytes = maxScriptBytes;
  }

  get size(): number {
    return this.#scripts.size;
  }

  /** Counted against `maxScriptBytes`: bodies, and a fixed share for each, so that tiny ones are bounded too. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bodies that made room, or were too large to be kept. */
  get evicted(): number {
    return this.#evicted;
  }

  /** Bodies learnt so far: what is known at a moment, for `load`. */
  get learned(): number {
    return this.#learned;
  }

  /** Whether the script cannot write: its body was shown, says so, and is still kept. */
  reads(sha: Buffer | undefined): boolean {
    if (this.#readers === 0 || sha?.length !== shaLength) return false;
    return this.#scripts.get(sha.toString('latin1').toLowerCase())?.reads === true;
  }

  /** Keeps a copy; the SHA1 comes back. Whether it is a script that compiles only a server can say. */
  learn(body: Uint8Array): string {
    const last = this.#byLength.get(body.length);
    if (last !== undefined && last.body.equals(body)) return this.#touch(last).sha;
    const sha = createHash('sha1').update(body).digest('hex');
    const known = this.#scripts.get(sha);
    if (known === undefined) this.#learn(sha, Buffer.from(body));
    else this.#byLength.set(body.length, this.#touch(known));
    return sha;
  }

  /** What a request runs or loads, its body learnt on the way: EVAL, EVALSHA, both with _RO, SCRIPT LOAD. Undefined for others. */
  scriptOf(args: readonly Buffer[]): Script | undefined {
    const body = bodyOf(args);
    if (body !== undefined) return { sha: this.learn(body), body };
    const [name, digest] = args;
    const bySha = isWord(name, 'EVALSHA') || isWord(name, 'EVALSHA_RO');
    if (!bySha || digest === undefined) return undefined;
    const sha = digest.toString('latin1').toLowerCase();
    return { sha, body: this.#scripts.get(sha)?.body };
  }

  /**
   * SCRIPT LOAD as a request; undefined when nobody has shown the body. `known`: what `learned` was when the script was
   * asked for, since a body that comes later in the same pipeline must not have been there before.
   */
  load(sha: string, known: number = Number.POSITIVE_INFINITY): Uint8Array | undefined {
    const script = this.#scripts.get(sha.toLowerCase());
    if (script === undefined || script.number > known) return undefined;
    return encodeCommand(['SCRIPT', 'LOAD', this.#touch(script).body]);
  }

  /** SCRIPT FLUSH: what a client has removed everywhere must not come back by itself. */
  flush(): void {
    this.#scripts.clear();
    this.#byLength.clear();
    this.#latest = undefined;
    this.#bytes = this.#readers = 0;
  }

  #learn(sha: string, body: Buffer): void {
    this.#keep({ sha, body, number: ++this.#learned, reads: declaresNoWrites(body) });
  }

  #keep(script: Kept): void {
    if (cost(script) > this.maxScriptBytes) {
      this.#evicted++;
      return;
    }
    this.#scripts.set(script.sha, script);
    this.#byLength.set(script.body.length, script);
    this.#latest = script;
    this.#bytes += cost(script);
    if (script.reads) this.#readers++;
    for (const [sha, oldest] of this.#scripts) {
      if (this.#bytes <= this.maxScriptBytes) break;
      this.#scripts.delete(sha);
      if (this.#byLength.get(oldest.body.length) === oldest) this.#byLength.delete(oldest.body.length);
      this.#bytes -= cost(oldest);
      if (oldest.reads) this.#readers--;
      this.#evicted++;
    }
  }

  #touch(script: Kept): Kept {
    if (script === this.#latest) return script;
    this.#scripts.delete(script.sha);
    this.#scripts.set(script.sha, script);
    this.#latest = script;
    return script;
  }
}

interface Kept {
  /** In the order in which they were learnt. */
  readonly number: number;
  readonly sha: string;
  readonly body: Buffer;
  /** It declares that it does not write, and the server holds it to that. */
  readonly reads: boolean;
}

const shaLength = 40;

/** About what a key, two map entries and a buffer take. */
const share = 256;

function cost(script: Kept): number {
  return script.body.length + share;
}

function bodyOf(args: readonly Buffer[]): Buffer | undefined {
  const [name, second, third] = args;
  if (isWord(name, 'EVAL') || isWord(name, 'EVAL_RO')) return second;
  return isWord(name, 'SCRIPT') && isWord(second, 'LOAD') ? third : undefined;
}
