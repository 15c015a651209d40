/** Progress on stderr, in whole lines, so that steps may run side by side and a log file stays readable. */

const REMIND_MS = 10_000;

export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** Says that a step starts, that it is still running, and how long it took. */
export async function step(title, run) {
  const startedAt = Date.now();
  const seconds = () => `${((Date.now() - startedAt) / 1000).toFixed(1)} s`;
  say(`· ${title} …`);
  const reminder = setInterval(() => say(`· ${title}: ${seconds()} so far`), REMIND_MS);
  try {
    const result = await run();
    say(`✓ ${title} (${seconds()})`);
    return result;
  } finally {
    clearInterval(reminder);
  }
}
