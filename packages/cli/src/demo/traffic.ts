/** Steady traffic through the mesh, with every failure counted: the demo's own users. */

import http from 'node:http';
import { connect } from 'node:net';

export interface TrafficCounts {
  requests: number;
  failures: number;
  /** Backend name → answers. */
  readonly answers: Map<string, number>;
  readonly errors: string[];
}

/** A request that takes longer has failed. */
const requestTimeoutMs = 5000;

export function newCounts(): TrafficCounts {
  return { requests: 0, failures: 0, answers: new Map(), errors: [] };
}

/** One HTTP request on a connection of its own, so that every one of them is balanced. */
export async function requestOnce(address: string, counts: TrafficCounts): Promise<void> {
  counts.requests += 1;
  try {
    const body = await get(`http://${address}/`);
    const name = /^hello from (\S+)/.exec(body)?.[1];
    if (name === undefined) throw new Error(`unexpected answer ${JSON.stringify(body.slice(0, 60))}`);
    counts.answers.set(name, (counts.answers.get(name) ?? 0) + 1);
  } catch (error) {
    counts.failures += 1;
    counts.errors.push((error as Error).message);
  }
}

/** Requests one after the other until stopped; the answer ends it and waits for the last. */
export function keepRequesting(address: string, counts: TrafficCounts, pauseMs: number): () => Promise<void> {
  let stopped = false;
  const run = async (): Promise<void> => {
    while (!stopped) {
      await requestOnce(address, counts);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
  const running = run();
  return async () => {
    stopped = true;
    await running;
  };
}

/** Sends inline commands on one connection and resolves with as many reply lines. */
export function redisCommands(address: string, commands: readonly string[]): Promise<string[]> {
  const port = Number(address.split(':').at(-1));
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const lines: string[] = [];
    let text = '';
    socket.setTimeout(requestTimeoutMs, () => socket.destroy(new Error('Redis did not answer in time')));
    socket.once('error', reject);
    socket.on('data', (chunk) => {
      text += String(chunk);
      const parts = text.split('\r\n');
      text = parts.pop() ?? '';
      // The length line of a bulk string says nothing of its own.
      lines.push(...parts.filter((line) => !line.startsWith('$') || line === '$-1'));
      if (lines.length < commands.length) return;
      socket.end();
      resolve(lines);
    });
    socket.write(
      commands
        .map(
          (command) =>
            `*${command.split(' ').length}\r\n${command
              .split(' ')
              .map((word) => `$${word.length}\r\n${word}\r\n`)
              .join('')}`,
        )
        .join(''),
    );
  });
}

/** A write and some reads now and then, as long as somebody watches. Failures show in the ambassador's own metrics. */
export function keepTalkingToRedis(address: string, pauseMs: number): () => Promise<void> {
  let stopped = false;
  const run = async (): Promise<void> => {
    for (let visits = 1; !stopped; visits++) {
      // Connections of their own: a session that has just written would read from the primary for a moment.
      await redisCommands(address, [`SET demo:visits ${visits}`]).catch(() => undefined);
      await redisCommands(address, ['GET demo:visits', 'STRLEN demo:visits', 'EXISTS demo:visits']).catch(
        () => undefined,
      );
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
  const running = run();
  return async () => {
    stopped = true;
    await running;
  };
}

function get(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent: false, timeout: requestTimeoutMs }, (response) => {
      let body = '';
      response.on('data', (chunk) => (body += String(chunk)));
      response.once('end', () => resolve(body));
      response.once('error', reject);
    });
    request.once('timeout', () => request.destroy(new Error('no answer in time')));
    request.once('error', reject);
  });
}
