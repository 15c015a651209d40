/** Asks real servers for COMMAND: each is started on a free port of loopback, asked, and stopped. */

import { connect } from 'node:net';
import { encodeCommand, ReplyDecoder } from '../../packages/core/src/resp/index.ts';
import { rowsOfReply } from '../../packages/ambassador/src/commands/row.ts';
import { startRedis, tool } from '../../test/harness/index.ts';

/** Oldest first: what differs is described by the newest. */
const SERVERS = [
  { kind: 'redis', name: 'redis-server' },
  { kind: 'redis', name: 'redis-8' },
  { kind: 'valkey', name: 'valkey-8' },
  { kind: 'valkey', name: 'valkey-9' },
];

/** Resolves to what each server that is here said, and why others are missing. */
export async function askServers() {
  const answers = [];
  const missing = [];
  for (const { kind, name } of SERVERS) {
    const found = tool(name);
    if (found.missing === undefined) answers.push(await askOne(kind, name));
    else missing.push(found.missing);
  }
  return { answers, missing };
}

async function askOne(kind, name) {
  const ends = [];
  const t = { teardown: (run) => ends.unshift(run) };
  try {
    const server = await startRedis(t, { program: name });
    const info = await ask(server.port, 'INFO', 'server');
    const version = /^(?:valkey|redis)_version:(\S+)/m;
    const text = info.bytes.toString();
    const own = /^valkey_version:(\S+)/m.exec(text) ?? version.exec(text);
    const origin = `${kind} ${own[1]}`;
    return { server: origin, rows: rowsOfReply(await ask(server.port, 'COMMAND'), origin) };
  } finally {
    for (const end of ends) await end();
  }
}

/** One command, one reply. */
export function ask(port, ...args) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const decoder = new ReplyDecoder();
    socket.once('error', reject);
    socket.on('data', (chunk) => {
      const [reply] = decoder.push(chunk);
      if (reply === undefined) return;
      socket.destroy();
      resolve(reply);
    });
    socket.write(encodeCommand(args));
  });
}
