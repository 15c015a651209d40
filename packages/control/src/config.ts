/** The control service's configuration: what was written, checked and turned into what the program uses. */

import type { Infer } from '@outrigger/core/api';
import { boolean, equalJson, integer, object, parseDuration, parseSize, string } from '@outrigger/core/api';
import { InvalidConfig } from '@outrigger/core/config';
import type { Check, Problem } from '@outrigger/core/config';
import { OutriggerError } from '@outrigger/core/errors';
import { isLoopback, parseAddress } from '@outrigger/core/net';
import type { Address } from '@outrigger/core/net';
import { addressRange, portRange } from './allocate/ranges.ts';

export const controlSchema = object(
  {
    listen: string('address of the API, probes and /metrics', { default: '127.0.0.1:7080' }),
    tlsCert: string('PEM file with the certificate (chain) of the API'),
    tlsKey: string('PEM file with its private key'),
    clientCa: string('PEM file with the CAs whose client certificates are let in; nobody without one is'),
    insecure: boolean('serve an address others can reach without TLS and client certificates', {
      default: false,
    }),
    data: string('directory of the database; made when missing', { default: './outrigger-data' }),
    memory: boolean('keep everything in memory: nothing survives the process', { default: false }),
    serviceCidr: string(
      'range that cluster IPs are taken from; one for each IP family, with a comma between',
      { default: '10.96.0.0/16' },
    ),
    nodePortRange: string('range that node ports are taken from', { default: '30000-32767' }),
    allowLoopbackEndpoints: boolean('accept 127.0.0.0/8 and ::1 as endpoint addresses: for one machine', {
      default: false,
    }),
    maxBody: string('largest request body', { format: 'size', default: '3MiB' }),
    maxReads: integer('reads worked on at a time; more get 429', { minimum: 1, default: 400 }),
    maxWrites: integer('writes worked on at a time; more get 429', { minimum: 1, default: 200 }),
    maxConnections: integer('connections at a time; more are closed at once', {
      minimum: 1,
      default: 25_000,
    }),
    maxObjects: integer('objects of one kind; creating more gets 403', { minimum: 1, default: 200_000 }),
    maxWatches: integer('watches at a time; more get 429', { minimum: 1, default: 20_000 }),
    watchBuffer: string('what may wait for a watcher that reads slowly before it is cut off', {
      format: 'size',
      default: '1MiB',
    }),
    history: string('how long changes stay at hand for watches that resume', {
      format: 'duration',
      default: '75s',
    }),
  },
  {
    required: [
      'listen',
      'insecure',
      'data',
      'memory',
      'serviceCidr',
      'nodePortRange',
      'allowLoopbackEndpoints',
      'maxBody',
      'maxReads',
      'maxWrites',
      'maxConnections',
      'maxObjects',
      'maxWatches',
      'watchBuffer',
      'history',
    ],
    description: 'The control service',
  },
);
export type ControlDocument = Infer<typeof controlSchema>;

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly clientCaFile: string | undefined;
}

export interface ControlLimits {
  readonly maxBodyBytes: number;
  readonly maxReads: number;
  readonly maxWrites: number;
  readonly maxConnections: number;
  readonly maxObjects: number;
  readonly maxWatches: number;
  readonly watchBufferBytes: number;
  readonly historyMs: number;
}

export interface ControlConfig {
  readonly listen: Address;
  readonly tls: TlsFiles | undefined;
  readonly store: { readonly type: 'memory' } | { readonly type: 'sqlite'; readonly dir: string };
  readonly serviceCidrs: readonly string[];
  readonly nodePortRange: string;
  readonly allowLoopbackEndpoints: boolean;
  readonly limits: ControlLimits;
}

export const controlChecks: Readonly<Record<string, Check>> = {
  listen: (value) => void parseAddress(String(value)),
  serviceCidr: (value) => void String(value).split(',').map(addressRange),
  nodePortRange: (value) => void portRange(String(value)),
  history: durationCheck,
  maxBody: sizeCheck,
  watchBuffer: sizeCheck,
};

/** Turns values with their defaults into the frozen configuration. Throws InvalidConfig with every problem. */
export function parseControlConfig(values: Readonly<Record<string, unknown>>): ControlConfig {
  const problems: Problem[] = [];
  for (const [field, check] of Object.entries(controlChecks)) {
    const want = wanted(check, values[field]);
    if (want !== undefined) problems.push({ path: field, got: JSON.stringify(values[field]), want });
  }
  if (problems.length > 0) throw new InvalidConfig(problems);
  const document = values as unknown as ControlDocument;
  const listen = parseAddress(document.listen);
  const tls = tlsOf(document, problems);
  checkExposure(document, listen, tls, problems);
  if (problems.length > 0) throw new InvalidConfig(problems);
  return Object.freeze({
    listen,
    tls,
    store: storeOf(document),
    serviceCidrs: document.serviceCidr.split(','),
    nodePortRange: document.nodePortRange,
    allowLoopbackEndpoints: document.allowLoopbackEndpoints,
    limits: limitsOf(document),
  });
}

/** Fields that differ and are only read at start. */
export function needingRestart(now: ControlConfig, next: ControlConfig): string[] {
  const fields = Object.keys(now) as (keyof ControlConfig)[];
  return fields.filter((field) => {
    if (field === 'tls') return (now.tls === undefined) !== (next.tls === undefined);
    return !equalJson(now[field], next[field]);
  });
}

function storeOf({ memory, data }: ControlDocument): ControlConfig['store'] {
  return memory ? { type: 'memory' } : { type: 'sqlite', dir: data };
}

function limitsOf(document: ControlDocument): ControlLimits {
  const { maxReads, maxWrites, maxConnections, maxObjects, maxWatches } = document;
  return Object.freeze({
    maxReads,
    maxWrites,
    maxConnections,
    maxObjects,
    maxWatches,
    maxBodyBytes: parseSize(document.maxBody) ?? 0,
    watchBufferBytes: parseSize(document.watchBuffer) ?? 0,
    historyMs: parseDuration(document.history) ?? 0,
  });
}

function tlsOf(document: ControlDocument, problems: Problem[]): TlsFiles | undefined {
  const { tlsCert, tlsKey, clientCa } = document;
  if (tlsCert !== undefined && tlsKey !== undefined) {
    return { certFile: tlsCert, keyFile: tlsKey, clientCaFile: clientCa };
  }
  const missing = tlsCert === undefined ? 'tlsCert' : 'tlsKey';
  if (tlsCert !== undefined || tlsKey !== undefined) {
    problems.push({
      path: missing,
      got: 'nothing',
      want: 'a file, as a certificate and its key go together',
    });
  } else if (clientCa !== undefined) {
    problems.push({ path: 'clientCa', got: clientCa, want: 'tlsCert and tlsKey beside it' });
  }
  return undefined;
}

/** Secure by default: what others can reach asks for certificates on both sides, or for the operator's word. */
function checkExposure(
  document: ControlDocument,
  listen: Address,
  tls: TlsFiles | undefined,
  problems: Problem[],
): void {
  if (isLoopback(listen) || document.insecure || listen.kind === 'fd') return;
  if (tls !== undefined && tls.clientCaFile !== undefined) return;
  problems.push({
    path: 'listen',
    got: `${document.listen}, which others can reach, without TLS and client certificates`,
    want: 'a loopback address, or tlsCert, tlsKey and clientCa, or insecure',
  });
}

function durationCheck(value: unknown): string | undefined {
  return parseDuration(String(value)) === undefined ? 'a duration such as 250ms or 30s' : undefined;
}

function sizeCheck(value: unknown): string | undefined {
  return parseSize(String(value)) === undefined ? 'a size such as 64KiB or 3MiB' : undefined;
}

function wanted(check: Check, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  try {
    return check(value) ?? undefined;
  } catch (error) {
    if (error instanceof OutriggerError) return error.hint?.replace(/^want /, '') ?? error.message;
    throw error;
  }
}
