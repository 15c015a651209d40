/** Kubernetes' httpGet and tcpSocket probes: fields, defaults, thresholds and words. */

export type { HttpCheck, Probe, ProbePurpose, ProbeSettings, ProbeTarget, TcpCheck } from './spec.ts';
export { probeSettings } from './spec.ts';
export type { ProbeResult, ProbeState } from './threshold.ts';
export { Threshold } from './threshold.ts';
export { runCheck } from './check.ts';
export type { Prober, ProberOptions } from './prober.ts';
export { startProber, unhealthyMessage } from './prober.ts';
