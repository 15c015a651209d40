/** What the harness asks of a tap test: to be called when it ends. */

export interface Teardown {
  teardown(run: () => unknown): void;
}
