/** The logger: a level, a sink, and fields inherited by children. */

import { describeError, errorCode } from '../errors/index.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];
/** Values are written as JSON; an Error becomes its message, code and hint. Secrets never belong here. */
export type Fields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** The same logger with more fields on every line. */
  child(fields: Fields): Logger;
  enabled(level: LogLevel): boolean;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  /** Takes one finished line, newline included. */
  readonly write: (line: string) => void;
  /** Epoch milliseconds. */
  readonly wall: () => number;
  readonly fields?: Fields;
}

export function isLogLevel(value: string): value is LogLevel {
  return (logLevels as readonly string[]).includes(value);
}

export function createLogger(options: LoggerOptions): Logger {
  const threshold = logLevels.indexOf(options.level);
  const inherited = options.fields ?? {};
  const emit = (level: LogLevel, message: string, fields: Fields | undefined): void => {
    if (logLevels.indexOf(level) < threshold) return;
    const all = flatten({ ...inherited, ...fields });
    const time = new Date(options.wall()).toISOString();
    options.write(
      options.format === 'json' ? jsonLine(time, level, message, all) : textLine(time, level, message, all),
    );
  };
  return {
    debug: (message, fields) => emit('debug', message, fields),
    info: (message, fields) => emit('info', message, fields),
    warn: (message, fields) => emit('warn', message, fields),
    error: (message, fields) => emit('error', message, fields),
    child: (fields) => createLogger({ ...options, fields: { ...inherited, ...fields } }),
    enabled: (level) => logLevels.indexOf(level) >= threshold,
  };
}

/** Discards everything; for tests and for tools that print their own report. */
export function silentLogger(): Logger {
  return createLogger({ level: 'error', format: 'json', write: () => {}, wall: () => 0 });
}

function flatten(fields: Fields): Record<string, unknown> {
  const flat: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof Error) {
      flat[name] = describeError(value);
      const code = errorCode(value);
      if (code !== 'UNKNOWN') flat['code'] = code;
    } else if (value !== undefined) {
      flat[name] = value;
    }
  }
  return flat;
}

function jsonLine(time: string, level: LogLevel, message: string, fields: Record<string, unknown>): string {
  return `${JSON.stringify({ time, level, msg: message, ...fields })}\n`;
}

function textLine(time: string, level: LogLevel, message: string, fields: Record<string, unknown>): string {
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${textValue(value)}`);
  return `${time.slice(11, 23)} ${level.toUpperCase().padEnd(5)} ${message}${rest.join('')}\n`;
}

function textValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}
