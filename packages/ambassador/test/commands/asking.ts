/** Questions to real servers: many commands in one go, replies as values. */

import { connect } from 'node:net';
import { encodeCommand, ReplyDecoder } from '@outrigger/core/resp';
import type { RespValue } from '@outrigger/core/resp';
import type { Redis } from '../../../../test/harness/index.ts';

type Args = readonly (string | Uint8Array)[];

/** One reply for each command, in order. Commands with another number of replies are not for this. */
export function askAll(redis: Redis, commands: readonly Args[]): Promise<RespValue[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(redis.port, '127.0.0.1');
    const decoder = new ReplyDecoder();
    const replies: RespValue[] = [];
    const done = (settle: () => void): void => {
      socket.destroy();
      settle();
    };
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`closed after ${replies.length} replies`)));
    socket.on('data', (chunk) => {
      replies.push(...decoder.push(chunk));
      if (replies.length >= commands.length) done(() => resolve(replies));
    });
    socket.write(Buffer.concat(commands.map((args) => encodeCommand(args))));
  });
}

export async function ask(redis: Redis, ...args: Args): Promise<RespValue> {
  return (await askAll(redis, [args]))[0] as RespValue;
}

/** The text of an error reply; '' for any other. */
export function errorOf(reply: RespValue | undefined): string {
  return reply?.type === 'error' ? reply.text : '';
}

/** Members of a list of strings. */
export function texts(reply: RespValue | undefined): string[] {
  if (reply?.type !== 'list') return [];
  return reply.items.map((item) => (item.type === 'bulk' ? item.bytes.toString('latin1') : ''));
}

export function buffers(args: readonly string[]): Buffer[] {
  return args.map((arg) => Buffer.from(arg, 'latin1'));
}
