/** A server that speaks just enough RESP to be asked by the source, and answers as the test says. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { Teardown } from '../../../../test/harness/index.ts';

export interface FakeRedis {
  readonly address: string;
  /** Every command so far, words joined by a space. */
  readonly commands: string[];
  readonly connections: number;
  /** Of them, those that are there now. */
  readonly open: number;
  /** Raw bytes of the reply; undefined: none, ever. */
  answer(command: string): string | Buffer | undefined;
  hangUp(): void;
}

export const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;

/** `answer` is asked for every command. */
export async function fakeRedis(t: Teardown, answer: FakeRedis['answer']): Promise<FakeRedis> {
  const sockets = new Set<Socket>();
  const commands: string[] = [];
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    let pending = '';
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (data) => {
      pending += data.toString('latin1');
      for (let found = whole(pending); found !== undefined; found = whole(pending)) {
        pending = pending.slice(found.length);
        commands.push(found.words.join(' '));
        const reply = fake.answer(found.words.join(' '));
        if (reply !== undefined) socket.write(reply);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const fake: FakeRedis = {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    commands,
    get connections() {
      return connections;
    },
    get open() {
      return sockets.size;
    },
    answer,
    hangUp: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
  t.teardown(() => {
    fake.hangUp();
    server.close();
  });
  return fake;
}

function whole(text: string): { readonly words: string[]; readonly length: number } | undefined {
  const [, count] = /^\*(\d+)\r\n/.exec(text) ?? [];
  if (count === undefined) return undefined;
  let at = count.length + 3;
  const words: string[] = [];
  for (let left = Number(count); left > 0; left--) {
    const [head = '', size = ''] = /^\$(\d+)\r\n/.exec(text.slice(at)) ?? [];
    const end = at + head.length + Number(size);
    if (head === '' || text.length < end + 2) return undefined;
    words.push(text.slice(at + head.length, end));
    at = end + 2;
  }
  return { words, length: at };
}
