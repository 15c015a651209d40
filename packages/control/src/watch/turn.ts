/** Lets everything else that is ready run first. */

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
