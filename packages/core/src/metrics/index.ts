/** Metric cells for hot code, and the catalogue that names, documents and reads them at scrape time. */

export type { CollectedSample, FamilyOptions, HistogramOptions, MetricsOptions } from './metrics.ts';
export { Metrics } from './metrics.ts';
export { Cells } from './cells.ts';
export { Family } from './family.ts';
export { Histogram } from './histogram.ts';
