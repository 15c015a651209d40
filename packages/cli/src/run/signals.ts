/** Signals as promises. */

const endingSignals = ['SIGTERM', 'SIGINT'] as const;

/** Resolves with the name of the next SIGTERM or SIGINT; those of the first `ignoreMs` are passed over. */
export function waitForSignal(ignoreMs = 0): Promise<string> {
  const from = performance.now() + ignoreMs;
  return new Promise((resolve) => {
    // The clock's timers and a drained daemon keep no handle; waiting for a signal has to.
    const keepAlive = setInterval(() => {}, 0x7fff_ffff);
    const done = (signal: string): void => {
      if (performance.now() < from) return;
      clearInterval(keepAlive);
      for (const name of endingSignals) process.off(name, done);
      resolve(signal);
    };
    for (const name of endingSignals) process.on(name, done);
  });
}

/** Calls for each of these signals, until the returned function is called. */
export function onSignals(
  names: readonly NodeJS.Signals[],
  call: (name: NodeJS.Signals) => void,
): () => void {
  for (const name of names) process.on(name, call);
  return () => {
    for (const name of names) process.off(name, call);
  };
}
