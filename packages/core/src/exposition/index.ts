/** Prometheus exposition: families of samples, the formats they are written in, and how a scraper asks for one. */

export type { Exemplar, LabelPairs, MetricFamily, MetricType, Sample, SampleSuffix } from './model.ts';
