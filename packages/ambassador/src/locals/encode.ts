/** Replies of our own, spelled as Redis spells them in the protocol the client speaks. */

import { encodeError, encodeReply } from '@outrigger/core/resp';
import type { RespValue } from '@outrigger/core/resp';

export type Protocol = 2 | 3;

export const silence: Uint8Array = new Uint8Array(0);

export function ok(): Uint8Array {
  return status('OK');
}

export function status(text: string): Uint8Array {
  return encodeReply({ type: 'simple', text });
}

/** `text` begins with its code. What a client wrote may be quoted in it: line ends become blanks. */
export function error(text: string): Uint8Array {
  return encodeError(text);
}

export function integer(value: number): Uint8Array {
  return encodeReply({ type: 'integer', value });
}

export function nothing(protocol: Protocol): Uint8Array {
  return encodeReply({ type: protocol === 3 ? 'null' : 'nullBulk' });
}

export function bulk(text: string): Uint8Array {
  return encodeReply({ type: 'bulk', bytes: Buffer.from(text) });
}

/** Text for people (CLIENT LIST, INFO): RESP3 says so, RESP2 cannot. */
export function verbatim(text: string, protocol: Protocol): Uint8Array {
  return protocol === 3 ? encodeReply({ type: 'verbatim', format: 'txt', text }) : bulk(text);
}

export function map(entries: readonly (readonly [RespValue, RespValue])[], protocol: Protocol): Uint8Array {
  return encodeReply(inProtocol({ type: 'map', entries }, protocol));
}

/** The same value in the types of `protocol`; RESP3 gains nothing, RESP2 loses what it has no type for. */
export function inProtocol(value: RespValue, protocol: Protocol): RespValue {
  switch (value.type) {
    case 'map': {
      const entries = value.entries.map(
        ([key, item]) => [inProtocol(key, protocol), inProtocol(item, protocol)] as const,
      );
      return protocol === 3 ? { type: 'map', entries } : { type: 'list', items: entries.flat() };
    }
    case 'list':
    case 'set':
      return {
        type: protocol === 3 ? value.type : 'list',
        items: value.items.map((item) => inProtocol(item, protocol)),
      };
    case 'null':
    case 'nullBulk':
      return { type: protocol === 3 ? 'null' : 'nullBulk' };
    case 'verbatim':
      return protocol === 3 ? value : { type: 'bulk', bytes: Buffer.from(value.text) };
    case 'boolean':
      return protocol === 3 ? value : { type: 'integer', value: value.value ? 1 : 0 };
    default:
      return value;
  }
}
