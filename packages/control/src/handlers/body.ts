/** Bodies to values: one decoder a media type, with the bounds that parsers lack. */

import { ApiError, parseJson } from '@outrigger/core/api';

export interface Decoded {
  readonly value: unknown;
  /** Paths of fields given twice. */
  readonly duplicates: readonly string[];
}

/** The media type without parameters, in lower case; a missing Content-Type means JSON. */
export function mediaTypeOf(contentType: string | undefined): string {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  return type === undefined || type === '' ? 'application/json' : type;
}

type Decoder = (body: Buffer) => Decoded | Promise<Decoded>;

/** A further encoding (protobuf) is one more line here. */
const decoders: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['application/json', decodeJson],
  ['application/yaml', decodeYaml],
]);

export const bodyTypes: readonly string[] = [...decoders.keys()];

/** Levels of nesting in a body. No object of ours is a tenth as deep; code that walks one may recurse. */
const maxDepth = 200;

/** Uses of YAML aliases in one body: a few lines of them can stand for gigabytes. */
const maxAliasCount = 100;

/** Decodes an object. Throws 400 or 415. */
export async function decodeBody(body: Buffer, contentType: string | undefined): Promise<Decoded> {
  const decoder = decoders.get(mediaTypeOf(contentType));
  if (decoder === undefined) throw ApiError.unsupportedMediaType(bodyTypes);
  return decoder(body);
}

export function decodeJson(body: Buffer): Decoded {
  if (body.length === 0) throw ApiError.badRequest('the request has no body: an object was expected');
  checkDepth(body);
  try {
    return parseJson(body.toString());
  } catch (error) {
    throw ApiError.badRequest(`the body is not valid JSON: ${(error as Error).message}`);
  }
}

async function decodeYaml(body: Buffer): Promise<Decoded> {
  const { parseDocument } = await import('yaml');
  const document = parseDocument(body.toString(), { uniqueKeys: true });
  const problem = document.errors[0];
  if (problem !== undefined) throw invalidYaml(problem);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount });
  } catch (error) {
    throw invalidYaml(error as Error);
  }
  checkDepth(Buffer.from(JSON.stringify(value) ?? ''));
  return { value, duplicates: [] };
}

function invalidYaml({ message }: Error): ApiError {
  return ApiError.badRequest(`the body is not valid YAML: ${message.split('\n')[0] ?? ''}`);
}

/** One pass over the bytes: brackets outside strings. What is not JSON is left to the parser. */
function checkDepth(body: Buffer): void {
  if (body.length < maxDepth) return;
  let depth = 0;
  for (let index = 0; index < body.length; index++) {
    switch (body[index]) {
      case 0x22:
        index = endOfString(body, index);
        break;
      case 0x7b:
      case 0x5b:
        if (++depth > maxDepth)
          throw ApiError.badRequest(`the body is nested more than ${maxDepth} levels deep`);
        break;
      case 0x7d:
      case 0x5d:
        depth--;
        break;
      default:
    }
  }
}

/** The index of the closing quote. */
function endOfString(body: Buffer, open: number): number {
  for (let close = body.indexOf(0x22, open + 1); close >= 0; close = body.indexOf(0x22, close + 1)) {
    let backslashes = 0;
    while (body[close - 1 - backslashes] === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return close;
  }
  return body.length;
}
