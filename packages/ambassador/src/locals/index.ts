/** What the ambassador answers or decides itself for a client's own session. */

export type { AuthCheck, Greeting, LocalAnswer, SessionRegistry } from './answer.ts';
export { answerLocally } from './answer.ts';
export { clientLine } from './client-line.ts';
export { clusterAnswer, standaloneInfo } from './cluster-view.ts';
export type { Gather, Part } from './gather.ts';
export { crossSlot, join, plan } from './gather.ts';
export { forget } from './identity.ts';
export { takeMuted } from './mute.ts';
export type { Script } from './scripts.ts';
export { ScriptBook } from './scripts.ts';
