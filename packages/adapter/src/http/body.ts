/** Reads an answer without ever holding more than was allowed: bytes are counted as they come, and again unpacked. */

import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import { createGunzip, createInflate } from 'node:zlib';
import { formatSize } from '@outrigger/core/api';
import { SourceError } from '../sources/source.ts';

export interface BodyOptions {
  /** `Content-Encoding`. */
  readonly encoding: string | undefined;
  /** `Content-Length`. */
  readonly announced: string | undefined;
  readonly maxBytes: number;
  /** For error texts. */
  readonly where: string;
}

export async function readBody(body: Readable, options: BodyOptions): Promise<Buffer> {
  if (Number(options.announced ?? 0) > options.maxBytes) {
    discard(body);
    throw tooLarge(options);
  }
  return collect(unpacked(body, options), options);
}

/** Reads no more of it; its connection is closed. */
export function discard(body: Readable): void {
  // That it was cut off is what we want; nobody else listens.
  body.on('error', () => undefined).destroy();
}

function unpacked(body: Readable, { encoding, where }: BodyOptions): Readable {
  switch (encoding?.toLowerCase()) {
    case undefined:
    case '':
    case 'identity':
      return body;
    case 'gzip':
    case 'x-gzip':
      // The error of either end reaches whoever reads the last stream.
      return pipeline(body, createGunzip(), () => undefined);
    case 'deflate':
      return pipeline(body, createInflate(), () => undefined);
    default:
      discard(body);
      throw new SourceError('parse', `${where} answered in ${encoding}; have it send gzip or plain text`);
  }
}

async function collect(stream: Readable, options: BodyOptions): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Leaving the loop destroys the stream, and with it the connection.
    if (size > options.maxBytes) throw tooLarge(options);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function tooLarge({ where, maxBytes }: BodyOptions): SourceError {
  const limit = formatSize(maxBytes);
  return new SourceError(
    'too-large',
    `${where} answered more than ${limit}; ask for less, or raise maxBodySize`,
  );
}
