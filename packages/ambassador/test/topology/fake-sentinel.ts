/** A sentinel whose words a test chooses: it names one primary whatever happens, and publishes what it is told to. */

import { decodeRequest, encodeReply, RequestEvent, RequestScanner } from '@outrigger/core/resp';
import type { RespValue } from '@outrigger/core/resp';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import type { Redis, Teardown } from '../../../../test/harness/index.ts';

export interface FakeSentinel {
  readonly address: string;
  publish(channel: string, message: string): void;
}

/** It watches `main`: that primary, with that replica. */
export async function startFakeSentinel(t: Teardown, primary: Redis, replica: Redis): Promise<FakeSentinel> {
  const listening = new Set<Socket>();
  const flat = (fields: Readonly<Record<string, string>>): RespValue => list(Object.entries(fields).flat());
  const of = ({ port }: Redis): Record<string, string> => ({ ip: '127.0.0.1', port: String(port) });
  const answers: Readonly<Record<string, RespValue>> = {
    'GET-MASTER-ADDR-BY-NAME': list(['127.0.0.1', String(primary.port)]),
    MASTER: flat({ ...of(primary), 'config-epoch': '4', flags: 'master,failover_in_progress' }),
    REPLICAS: { type: 'list', items: [flat(of(replica))] },
    SENTINELS: { type: 'list', items: [] },
  };
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('close', () => listening.delete(socket));
    onRequests(socket, (words) => {
      if (words[0]?.toUpperCase() === 'PSUBSCRIBE') {
        listening.add(socket);
        for (const [i, pattern] of words.slice(1).entries())
          send(socket, { type: 'list', items: [bulk('psubscribe'), bulk(pattern), { type: 'integer', value: BigInt(i + 1) }] }); // prettier-ignore
      } else send(socket, answers[words[1]?.toUpperCase() ?? ''] ?? { type: 'simple', text: 'OK' });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of listening) socket.destroy();
    server.close();
  });
  return {
    address: `127.0.0.1:${(server.address() as { port: number }).port}`,
    publish: (channel, message) => {
      for (const socket of listening) send(socket, list(['pmessage', '+*', channel, message]));
    },
  };
}

function onRequests(socket: Socket, onRequest: (words: string[]) => void): void {
  let held = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    for (;;) {
      const scanner = new RequestScanner();
      let event = scanner.next(held, 0);
      while (event !== RequestEvent.end && event !== RequestEvent.more)
        event = scanner.next(held, scanner.offset);
      if (event === RequestEvent.more) return;
      onRequest(decodeRequest(held.subarray(0, scanner.offset)).map(String));
      held = held.subarray(scanner.offset);
    }
  });
}

function send(socket: Socket, value: RespValue): void {
  socket.write(encodeReply(value));
}

function bulk(text: string): RespValue {
  return { type: 'bulk', bytes: Buffer.from(text) };
}

function list(texts: readonly string[]): RespValue {
  return { type: 'list', items: texts.map(bulk) };
}
