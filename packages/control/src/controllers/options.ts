/** Every limit and delay of the controllers, by name. Durations are milliseconds. */

export interface ControllerOptions {
  /** Pods at 127.0.0.0/8 and ::1 are endpoints: for one machine. Otherwise they are left out. */
  readonly allowLoopbackEndpoints: boolean;
  /** Endpoints in one slice. More means fewer objects but larger rewrites for each change. */
  readonly maxEndpointsPerSlice: number;
  /** Addresses in one Endpoints object; what is beyond is only in the slices. Kubernetes has the same limit. */
  readonly maxEndpointsAddresses: number;
  /** Addresses mirrored from one subset of hand-written Endpoints. */
  readonly maxMirroredPerSubset: number;

  /** Services worked on at the same time, per controller. */
  readonly concurrency: number;
  /**
   * Rest of a Service after each slice written for it: 10 ms allow 100 writes a second. The first change after a rest is
   * written at once; those that come during it are written together.
   */
  readonly restPerSliceMs: number;
  /** Rest after writing Endpoints, per address in it, because every change rewrites all of them. */
  readonly restPerAddressMs: number;
  /** Wait after a failed sync; doubles with each further failure up to `retryMaxMs`. */
  readonly retryBaseMs: number;
  readonly retryMaxMs: number;
  /** A write that the cache has not shown after this long is not waited for any more. */
  readonly staleCacheMs: number;

  /** Duration of a Lease that names none. */
  readonly leaseDurationMs: number;
  /** How often Leases are judged. Also the resolution of everything below. */
  readonly leaseSweepMs: number;
  /** How long a registered pod stays, not ready, after its Lease expired, before it is removed. */
  readonly removeAfterMs: number;
  /**
   * How long pods are held ready at most when more than half of a Service, or of everyone, fell silent at once. Only
   * while someone is heard: without any sign of life from anyone a hold has no end.
   */
  readonly holdMs: number;

  /** An owner that never was seen is taken for absent after this long. */
  readonly unknownOwnerMs: number;
  /** Events that may be written at once, and how many a second after that. */
  readonly eventBurst: number;
  readonly eventsPerSecond: number;
}

export const defaultControllerOptions: ControllerOptions = Object.freeze({
  allowLoopbackEndpoints: false,
  maxEndpointsPerSlice: 100,
  maxEndpointsAddresses: 1_000,
  maxMirroredPerSubset: 1_000,
  concurrency: 8,
  restPerSliceMs: 10,
  restPerAddressMs: 1,
  retryBaseMs: 5,
  retryMaxMs: 30_000,
  staleCacheMs: 10_000,
  leaseDurationMs: 40_000,
  leaseSweepMs: 1_000,
  removeAfterMs: 300_000,
  holdMs: 300_000,
  unknownOwnerMs: 30_000,
  eventBurst: 50,
  eventsPerSecond: 1,
});
