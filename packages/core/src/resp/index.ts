/** The Redis protocol: boundaries on the hot path, values beside it. */

export type { RespErrorCode, RespLimits } from './limits.ts';
export { defaultRespLimits, RespError } from './limits.ts';
export { RequestEvent, RequestScanner } from './request.ts';
export { ReplyEvent, ReplyScanner } from './reply.ts';
export type { RespValue } from './value.ts';
export { decodeReply, ReplyDecoder } from './value.ts';
export { decodeRequest, splitWords } from './words.ts';
export { encodeCommand, encodeError, encodeReply } from './encode.ts';
