/** Configuration: one schema per daemon, read from flags, environment and a document, parsed once, every problem at once. */

export type { Flag } from './flags.ts';
export { flagsOf, flagName, environmentName, helpLines } from './flags.ts';
export type { Check, ConfigSource, LoadOptions, Loaded, Problem } from './load.ts';
export { describeProblem, InvalidConfig, loadConfig, refuseInvalid } from './load.ts';
export { parseDocument } from './document.ts';
export { processFields } from './process.ts';
