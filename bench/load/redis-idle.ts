/**
 * Clients that send one command each and then stay, silent: `node bench/load/redis-idle.ts PORT CLIENTS`. Says
 * `connected N` once all that could connect have been answered; ends on SIGTERM.
 */

import { connect } from 'node:net';

const [port = '0', wanted = '10000'] = process.argv.slice(2);
/** Connecting at once; more would overflow the listener's backlog and measure retries. */
const together = 100;
let started = 0;
let answered = 0;

await Promise.all(Array.from({ length: together }, connectInTurn));
process.stdout.write(`connected ${answered}\n`);

async function connectInTurn(): Promise<void> {
  while (started++ < Number(wanted)) if (await open()) answered++;
}

/** False when the client was refused, or closed before its answer. */
function open(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.once('data', (chunk) => resolve(chunk[0] !== 45));
    socket.write('*2\r\n$3\r\nGET\r\n$4\r\nidle\r\n');
  });
}
