/**
 * Writers over HTTP, each waiting for its answer before it writes again: to our API or to etcd's JSON gateway.
 *
 *     node bench/load/writers.ts (api|etcd) HOST:PORT WRITERS SECONDS
 *
 * One line of JSON: writes, seconds, p50 and p99 of the answers in milliseconds.
 */

import { Pool } from 'undici';
import { quantile } from '../harness/measure.ts';

const [target = 'api', address = '', writersText = '64', secondsText = '3'] = process.argv.slice(2);
const writers = Number(writersText);
const value = 'x'.repeat(1024);
const pool = new Pool(`http://${address}`, { connections: writers, pipelining: 1 });

interface Write {
  readonly method: 'POST' | 'PUT';
  readonly path: string;
  readonly body: string;
}

/** Objects of one writer: created first, then written again and again. */
const ownObjects = 100;

function nextWrite(writer: number, count: number): Write {
  const name = `w${writer}-${count % ownObjects}-${process.pid}`;
  if (target === 'etcd') {
    const key = Buffer.from(`/registry/configmaps/default/${name}`).toString('base64');
    return {
      method: 'POST',
      path: '/v3/kv/put',
      body: JSON.stringify({ key, value: Buffer.from(`${count}${value}`).toString('base64') }),
    };
  }
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
    data: { value: `${count}${value}` },
  };
  const path = '/api/v1/namespaces/default/configmaps';
  const body = JSON.stringify(object);
  return count < ownObjects
    ? { method: 'POST', path, body }
    : { method: 'PUT', path: `${path}/${name}`, body };
}

async function run(seconds: number): Promise<number[]> {
  const deadline = performance.now() + seconds * 1000;
  const times: number[] = [];
  const headers = { 'content-type': 'application/json' };
  const write = async (writer: number): Promise<void> => {
    for (let count = 0; performance.now() < deadline; count++) {
      const { method, path, body } = nextWrite(writer, count);
      const started = performance.now();
      const answer = await pool.request({
        method,
        path: `${path}${target === 'api' ? '?pretty=false' : ''}`,
        headers,
        body,
      });
      const text = await answer.body.text();
      if (answer.statusCode >= 300) throw new Error(`${answer.statusCode}: ${text}`);
      times.push(performance.now() - started);
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  return times;
}

const times = await run(Number(secondsText));
await pool.close();
const result = {
  writes: times.length,
  seconds: Number(secondsText),
  p50: quantile(times, 0.5),
  p99: quantile(times, 0.99),
};
console.log(JSON.stringify(result));
