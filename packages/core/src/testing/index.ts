/** Fakes and helpers for tests of any package; nothing here is used in production. */

export { testDeps } from './deps.ts';
export type { TestDeps } from './deps.ts';
export { MemoryNet } from './memory-net.ts';
export { eventually } from './eventually.ts';
export type { OtlpReceiver, ReceivedSpan } from './otlp-receiver.ts';
export { attributesOf, startOtlpReceiver } from './otlp-receiver.ts';
