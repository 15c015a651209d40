/**
 * One page for one request: the format and encoding the scraper takes, the families it names, under its deadline.
 *
 * Compression runs in zlib's threads, piece by piece; level 1, because level 6 costs four times the time for a page
 * one tenth smaller.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGzip, gzip } from 'node:zlib';
import { errorCode } from '../errors/index.ts';
import { negotiate } from './format.ts';
import type { Format } from './format.ts';
import { PageWriter } from './writer.ts';
import type { BlockPool } from './writer.ts';

export interface PageAsked {
  readonly format: Format;
  /** `name[]=`: families that are wanted; undefined: all. */
  readonly names: ReadonlySet<string> | undefined;
  /** What the scraper says it will wait, in ms. */
  readonly timeoutMs: number | undefined;
}

/** More names than this are ignored. */
const maxNames = 1000;

/** Names in lower case. */
export type PageHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export function readPageAsked(headers: PageHeaders, query: URLSearchParams): PageAsked {
  const names = query.getAll('name[]').slice(0, maxNames);
  const seconds = Number(headers['x-prometheus-scrape-timeout-seconds'] ?? Number.NaN);
  return {
    format: negotiate(textOf(headers['accept'])),
    names: names.length === 0 ? undefined : new Set(names),
    timeoutMs: seconds > 0 && seconds < 86_400 ? seconds * 1000 : undefined,
  };
}

/** A page as headers and bytes, for small pages and servers that know no sockets. */
export async function answerPage(
  headers: PageHeaders,
  query: URLSearchParams,
  pool: BlockPool,
  write: (out: PageWriter, asked: PageAsked) => Promise<void>,
): Promise<{ readonly headers: Readonly<Record<string, string>>; readonly body: Buffer }> {
  const asked = readPageAsked(headers, query);
  const out = new PageWriter(pool);
  try {
    await write(out, asked);
    const plain = Buffer.concat(out.finish());
    const compressed = takesGzip(textOf(headers['accept-encoding']));
    const body = compressed ? await promisify(gzip)(plain, { level: 1 }) : plain;
    return { headers: pageHeaders(asked.format, compressed), body };
  } finally {
    out.release();
  }
}

/** Writes the page and sends it; GET and HEAD. Rejects with what `write` rejects with, when nothing was sent. */
export async function servePage(
  request: IncomingMessage,
  response: ServerResponse,
  pool: BlockPool,
  write: (out: PageWriter, asked: PageAsked) => Promise<void>,
): Promise<void> {
  const asked = readPageAsked(request.headers, new URLSearchParams((request.url ?? '').split('?')[1] ?? ''));
  const out = new PageWriter(pool);
  try {
    await write(out, asked);
    await send(request, response, asked.format, out);
  } finally {
    out.release();
  }
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  format: Format,
  out: PageWriter,
): Promise<void> {
  const blocks = out.finish();
  const compressed = takesGzip(textOf(request.headers['accept-encoding']));
  response.writeHead(200, {
    ...pageHeaders(format, compressed),
    ...(compressed ? {} : { 'content-length': out.length }),
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  try {
    if (compressed) await pipeline(Readable.from(blocks), createGzip({ level: 1 }), response);
    else await pipeline(Readable.from(blocks), response);
  } catch (error) {
    // The scraper went away: it knows.
    if (!goneCodes.has(errorCode(error))) throw error;
  }
}

function pageHeaders(format: Format, compressed: boolean): Record<string, string> {
  return {
    'content-type': format.contentType,
    'x-content-type-options': 'nosniff',
    vary: 'Accept, Accept-Encoding',
    ...(compressed ? { 'content-encoding': 'gzip' } : {}),
  };
}

function textOf(header: string | readonly string[] | undefined): string | undefined {
  return header === undefined ? undefined : String(header);
}

const goneCodes = new Set([
  ...['ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_UNABLE_TO_PIPE'],
  ...['ECONNRESET', 'EPIPE'],
]);

/** `gzip` or `*`, unless its q is 0. */
export function takesGzip(header: string | undefined): boolean {
  const ranges = (header ?? '').split(',', 32);
  const q = (name: string): number | undefined => {
    const range = ranges.find((one) => one.split(';')[0]?.trim().toLowerCase() === name);
    if (range === undefined) return undefined;
    const weight = /;\s*q\s*=\s*([0-9.]+)/.exec(range)?.[1];
    return weight === undefined ? 1 : Number(weight);
  };
  return (q('gzip') ?? q('*') ?? 0) > 0;
}
