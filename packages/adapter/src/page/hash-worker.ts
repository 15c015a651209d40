/** The thread that checks passwords: one message in, one answer out. */

import { compareSync } from 'bcryptjs';
import { parentPort } from 'node:worker_threads';

parentPort?.on('message', ({ hash, password }: { hash: string; password: string }) => {
  parentPort?.postMessage(compareSync(password, hash), []);
});
