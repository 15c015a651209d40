/** Runs a program on one side and writes down what every line got. */

import { setImmediate as turn } from 'node:timers/promises';
import type { Random } from '@outrigger/core/clock';
import { closedMark, Connection, encode, missingMark, PATIENCE_MS } from './connection.ts';
import { content } from './frames.ts';
import type { Line, Program } from './program.ts';

/** How bytes travel: lines of one client in one write, in random pieces, or each line by itself with its reply awaited. */
export type Manner = 'whole' | 'cut' | 'stepwise';

export interface Target {
  readonly port: number;
  readonly manner: Manner;
  readonly random: Random;
  /** Resolves when every replica has what the primary has. */
  settled(): Promise<void>;
  /** Resolves when so many clients are blocked at the servers behind; false when they never are. */
  blocked(count: number): Promise<boolean>;
}

export interface Entry {
  readonly line: Line;
  readonly replies: string[];
}

/** What came back, line by line. A program that waits in vain ends there. */
export async function run(program: Program, target: Target): Promise<Entry[]> {
  const running = new Running(target);
  try {
    for (const line of program.lines) {
      await running.perform(line);
      if (running.stuck) break;
    }
    if (!running.stuck) await running.finish(program.lines.some(({ verb }) => verb === 'silent'));
  } finally {
    running.close();
  }
  return running.entries;
}

interface Participant {
  readonly connection: Connection;
  /** Written when the other side is waited for. */
  unsent: string;
  /** Lines whose replies are still to come, in order. */
  owed: Entry[];
  waits: boolean;
  /** What is unsent travels in one piece. */
  whole: boolean;
}

class Running {
  readonly entries: Entry[] = [];
  stuck = false;
  readonly #target: Target;
  readonly #clients = new Map<string, Participant>();
  readonly #variables = new Map<string, string>();
  #current: string | undefined;

  constructor(target: Target) {
    this.#target = target;
  }

  async perform(line: Line): Promise<void> {
    if (line.verb === 'blocked') return this.#untilBlocked(line);
    if (line.client !== this.#current) await this.#switchTo(line.client);
    const client = await this.#client(line.client);
    switch (line.verb) {
      case 'command':
      case 'raw':
      case 'burst':
        return this.#send(client, line);
      case 'receive':
        client.owed.push(this.#entry(line));
        return this.#settle(client);
      case 'seen':
        return this.#watch(client, line);
      case 'closes':
        return this.#remainder(client, line);
      case 'leaves':
        await (client.waits ? this.#settle(client) : this.#deliver(client));
        client.connection.destroy();
        this.#clients.delete(line.client);
        return;
      case 'silent':
        return;
    }
  }

  /** Nothing is owed any more, unless a client was silenced on purpose. */
  async finish(silent: boolean): Promise<void> {
    for (const client of this.#clients.values()) await this.#settle(client);
    if (silent) return;
    for (const [name, client] of this.#clients) {
      if (client.connection.ended) continue;
      const text = `${name}: PING (at the end)`;
      await this.#send(client, { ...endLine, client: name, text });
      await this.#settle(client);
    }
  }

  close(): void {
    for (const { connection } of this.#clients.values()) connection.destroy();
  }

  async #send(client: Participant, line: Line): Promise<void> {
    const words = line.words.map((word) => this.#filledIn(word));
    client.unsent += line.verb === 'command' ? encode(words) : (words[0] ?? '');
    client.whole = line.verb === 'burst';
    const entry = this.#entry(line);
    client.owed.push(entry);
    client.waits = line.waits;
    if (!line.waits) return this.#deliver(client);
    if (line.variable === undefined && this.#target.manner !== 'stepwise') return;
    await this.#settle(client);
    await this.#target.settled();
    if (line.variable !== undefined) this.#variables.set(line.variable, content(entry.replies[0] ?? ''));
  }

  async #untilBlocked(line: Line): Promise<void> {
    for (const client of this.#clients.values()) await this.#deliver(client);
    this.stuck = !(await this.#target.blocked(Number(line.words[0])));
    this.#entry(line).replies.push(this.stuck ? missingMark : '');
  }

  async #switchTo(name: string): Promise<void> {
    const last = this.#clients.get(this.#current ?? '');
    this.#current = name;
    if (last === undefined) return;
    await (last.waits ? this.#settle(last) : this.#deliver(last));
    // Another client's writes are seen by this one only where the data is: nobody promises it of a replica that lags.
    await this.#target.settled();
  }

  async #settle(client: Participant): Promise<void> {
    client.waits = true;
    await this.#deliver(client);
    for (const { line, replies } of client.owed.splice(0)) {
      if (line.replies === 0) continue;
      replies.push(...(await client.connection.frames(line.replies)));
      if (replies.at(-1)?.startsWith(missingMark) === true) this.stuck = true;
      if (this.stuck) return;
    }
  }

  async #remainder(client: Participant, line: Line): Promise<void> {
    await this.#settle(client);
    this.#entry(line).replies.push(await client.connection.remainder());
    this.#clients.delete(line.client);
  }

  /** Of a stream that tells everybody's doings, the lines about this program's. */
  async #watch(client: Participant, line: Line): Promise<void> {
    await this.#settle(client);
    const entry = this.#entry(line);
    for (const word of line.words) {
      const deadline = performance.now() + PATIENCE_MS;
      let frame: string;
      do frame = (await client.connection.frames(1))[0] ?? '';
      while (!frame.includes(word) && !isMark(frame) && performance.now() < deadline);
      this.stuck = !frame.includes(word);
      entry.replies.push(this.stuck ? missingMark : frame);
      if (this.stuck) return;
    }
  }

  async #deliver(client: Participant): Promise<void> {
    const bytes = client.unsent;
    client.unsent = '';
    if (bytes === '' || client.whole || this.#target.manner !== 'cut') return client.connection.send(bytes);
    for (const piece of pieces(bytes, this.#target.random)) {
      client.connection.send(piece);
      // The socket hands each piece to the kernel by itself; without a turn they would travel as one.
      await turn();
    }
  }

  #entry(line: Line): Entry {
    const entry = { line, replies: [] };
    this.entries.push(entry);
    return entry;
  }

  #filledIn(word: string): string {
    return word.replace(/\$(\w+)/g, (whole, name: string) => this.#variables.get(name) ?? whole);
  }

  async #client(name: string): Promise<Participant> {
    const known = this.#clients.get(name);
    if (known !== undefined) return known;
    const connection = await Connection.to(this.#target.port);
    const client: Participant = { connection, unsent: '', owed: [], waits: true, whole: false };
    this.#clients.set(name, client);
    return client;
  }
}

function isMark(frame: string): boolean {
  return frame.startsWith(missingMark) || frame.startsWith(closedMark);
}

const endLine: Line = {
  text: '',
  client: '',
  verb: 'command',
  words: ['PING'],
  replies: 1,
  waits: true,
  variable: undefined,
  allowed: [],
};

/** A few short pieces, at least three, so that long programs do not take a turn for every byte. */
function pieces(bytes: string, random: Random): string[] {
  const largest = Math.max(1, Math.floor(bytes.length / 4));
  const cut: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = 1 + Math.floor(random.next() * largest);
    cut.push(bytes.slice(at, at + size));
    at += size;
  }
  return cut;
}
