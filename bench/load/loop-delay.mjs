// Preloaded into a measured process: SIGUSR2 writes the p99 of its event loop's delay, in ms, to stderr and starts anew.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const histogram = monitorEventLoopDelay({ resolution: 1 });
histogram.enable();
process.on('SIGUSR2', () => {
  process.stderr.write(`LOOP ${(histogram.percentile(99) / 1e6).toFixed(3)}\n`);
  histogram.reset();
});
