/** Preloaded into a measured process: at SIGUSR2 it tells, as JSON on stderr, how late its event loop ran since the last time. */

import { monitorEventLoopDelay } from 'node:perf_hooks';

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
process.on('SIGUSR2', () => {
  process.stderr.write(`${JSON.stringify({ loopDelayP99Ms: delay.percentile(99) / 1e6 })}\n`);
  delay.reset();
});
