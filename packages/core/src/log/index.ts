/** Structured log lines: JSON for machines, text for terminals, never on stdout. */

export type { Fields, LogLevel, Logger } from './logger.ts';
export { createLogger, isLogLevel, logLevels, silentLogger } from './logger.ts';
