/** The thread that checks passwords: one message in, one answer out. */

import bcrypt from 'bcryptjs';
import { parentPort } from 'node:worker_threads';

parentPort?.on('message', ({ hash, password }: { hash: string; password: string }) => {
  parentPort?.postMessage(bcrypt.compareSync(password, hash), []);
});
