/** Promise 4: through the ambassador a session's replies keep its order, and it reads what it wrote. */

import { connect } from 'node:net';
import type { World } from '../world.ts';
import { Broken, pause } from './checker.ts';
import type { Checker } from './checker.ts';

const promise = 'replies in order, own writes read';
const sessions = 4;

export class RedisSessions implements Checker {
  readonly promise = promise;
  #rounds = 0;

  async run(world: World, signal: AbortSignal): Promise<void> {
    if (world.redis === undefined) return;
    await Promise.all([...Array(sessions).keys()].map((id) => this.#session(world, id, signal)));
  }

  summary(): string {
    return this.#rounds === 0
      ? 'left out: redis-server is not installed'
      : `${this.#rounds} pipelines, each answered in order`;
  }

  /** Each pipeline writes, reads, writes and reads one key and echoes; every answer is known beforehand. */
  async #session(world: World, id: number, signal: AbortSignal): Promise<void> {
    const socket = connect(world.redisPort, '127.0.0.1');
    const lines = readLines(socket);
    for (let round = 1; !signal.aborted; round++) {
      const key = `session-${id}`;
      socket.write(
        [
          ['SET', key, `${round}a`],
          ['GET', key],
          ['SET', key, `${round}b`],
          ['GET', key],
          ['STRLEN', key],
        ]
          .map((args) => `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`)
          .join(''),
      );
      const wanted = [
        '+OK',
        `$${`${round}a`.length}`,
        `${round}a`,
        '+OK',
        `$${`${round}b`.length}`,
        `${round}b`,
        `:${`${round}b`.length}`,
      ];
      for (const want of wanted) {
        const { value } = await lines.next();
        if (value !== want)
          throw new Broken(promise, `session ${id}, round ${round}: wanted ${want}, got ${value}`);
      }
      this.#rounds += 1;
      await pause(2);
    }
    socket.destroy();
  }
}

async function* readLines(socket: AsyncIterable<Buffer>): AsyncGenerator<string, undefined> {
  let text = '';
  for await (const chunk of socket) {
    text += String(chunk);
    const lines = text.split('\r\n');
    text = lines.pop() ?? '';
    yield* lines;
  }
  return undefined;
}
