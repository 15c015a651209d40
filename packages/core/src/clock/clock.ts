/** The clock joint and the clock of the machine. */

export interface Timer {
  /** Harmless after the timer has fired. */
  cancel(): void;
}

export interface Clock {
  /** Monotonic milliseconds, with fractions; the origin means nothing. */
  now(): number;
  /** Milliseconds since the epoch, for what leaves the process: log lines, Leases, timestamps. */
  wall(): number;
  /** Calls once after `delayMs`. A timer never keeps the process alive by itself: open sockets do. */
  setTimeout(callback: () => void, delayMs: number): Timer;
  /** Resolves after `delayMs`, or rejects with the signal's reason. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export function systemClock(): Clock {
  const clock: Clock = {
    now: () => performance.now(),
    wall: () => Date.now(),
    setTimeout: (callback, delayMs) => {
      const handle = setTimeout(callback, delayMs).unref();
      return { cancel: () => clearTimeout(handle) };
    },
    sleep: (delayMs, signal) => sleepOn(clock, delayMs, signal),
  };
  return clock;
}

/** `sleep` for any clock that has `setTimeout`. */
export function sleepOn(
  clock: Pick<Clock, 'setTimeout'>,
  delayMs: number,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason as Error);
    };
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, delayMs);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
