/** Exit codes, a contract: 0 clean, 1 failed, 2 bad flags or configuration, 3 cannot listen or not permitted, 4 locked. */

import { describeError, errorCode } from '@outrigger/core/errors';

const exitCodes: Readonly<Record<string, number>> = {
  CONFIG_INVALID: 2,
  CONFIG_UNREADABLE: 2,
  ADDRESS_INVALID: 2,
  CONTROL_CONFIG: 2,
  CONTROL_CREDENTIALS: 2,
  CONTROL_URL_INVALID: 2,
  KUBECONFIG_INVALID: 2,
  MANIFEST_UNREADABLE: 2,
  LISTEN_FAILED: 3,
  EACCES: 3,
  EPERM: 3,
  STORE_LOCKED: 4,
  INSTANCE_LOCKED: 4,
};

export function exitCodeOf(error: unknown): number {
  return exitCodes[errorCode(error)] ?? 1;
}

/** One line a problem, on stderr, each saying what to do. */
export function reportFailure(command: string, error: unknown): void {
  for (const line of describeError(error).split('\n')) process.stderr.write(`${command}: ${line}\n`);
}
