/** Prometheus exposition: families of samples, the formats they are written in, and how a scraper asks for one. */

export type { Exemplar, LabelPairs, MetricFamily, MetricType, Sample, SampleSuffix } from './model.ts';
export { boundText, canonicalNumber, readNumber, valueText } from './number.ts';
export type { Escaping } from './names.ts';
export { escapeLabelName, escapeMetricName, isLegacyLabelName, isLegacyMetricName } from './names.ts';
export type { Format } from './format.ts';
export { negotiate, textFormat } from './format.ts';
export type { FamilyHead } from './encode.ts';
export { escapeText, openMetricsName, sampleKey, writeEnd, writeHead, writeSamples } from './encode.ts';
export { BlockPool, PageWriter } from './writer.ts';
export { givingWay, isAsked, writeFamilies, writeMore, writePage } from './pages.ts';
export type { PageAsked, PageHeaders } from './serve.ts';
export { answerPage, readPageAsked, servePage, takesGzip } from './serve.ts';
