/** The service as a process of its own, for tests that kill it in the middle of many writes: `serve.ts DIR`. Prints its address. */

import { defaultsOf } from '@outrigger/core/api';
import { testDeps } from '@outrigger/core/testing';
import { controlSchema, parseControlConfig, start } from '../src/index.ts';

const [data = ''] = process.argv.slice(2);
const config = parseControlConfig({
  ...defaultsOf(controlSchema),
  data,
  listen: '127.0.0.1:0',
  maxWrites: 2_000,
});
const daemon = await start(config, testDeps());
process.stdout.write(`http://${daemon.addresses['api']}\n`);
