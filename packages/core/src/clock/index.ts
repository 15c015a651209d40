/** Time and randomness as parameters, so that a simulation with a printed seed can replay any failure. */

export type { Clock, Timer } from './clock.ts';
export { systemClock } from './clock.ts';
export { FakeClock } from './fake.ts';
export { nextTurn } from './turn.ts';
export type { Random } from './random.ts';
export { seededRandom, systemRandom, jitter } from './random.ts';
