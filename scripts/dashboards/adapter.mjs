/** What an operator of the metrics adapter looks at: sources, StatsD, series and the page. */

const of = (metric, more = '') => `${metric}{instance=~"$instance"${more}}`;
const rate = (metric, more) => `rate(${of(metric, more)}[$__rate_interval])`;

export const adapter = {
  uid: 'outrigger-adapter',
  title: 'Outrigger metrics adapter',
  description: 'Sources, StatsD, series and the scrape page.',
  rows: [
    {
      title: 'Sources',
      panels: [
        {
          title: 'Sources that answer',
          description: '1 when the last scrape had what the source says.',
          queries: { '{{instance}} {{source}}': of('outrigger_adapter_source_up') },
        },
        {
          title: 'Time to answer',
          description: 'Of the last scrape.',
          unit: 's',
          queries: { '{{instance}} {{source}}': of('outrigger_adapter_source_duration_seconds') },
        },
        {
          title: 'Errors',
          description: 'Scrapes a source failed, by class.',
          unit: 'ops',
          queries: {
            '{{source}} {{class}}': `sum by (source, class) (${rate('outrigger_adapter_source_errors_total')})`,
          },
        },
      ],
    },
    {
      title: 'StatsD',
      panels: [
        {
          title: 'Lines',
          description: 'Received.',
          unit: 'ops',
          queries: { '{{instance}}': rate('outrigger_adapter_statsd_lines_total') },
        },
        {
          title: 'Not taken',
          description: 'By reason.',
          unit: 'ops',
          queries: {
            '{{instance}} {{reason}}': `sum by (instance, reason) (${rate('outrigger_adapter_statsd_errors_total')})`,
          },
        },
        {
          title: 'Datagrams dropped by the kernel',
          description: 'The receive buffer was full.',
          unit: 'ops',
          queries: { '{{instance}}': rate('outrigger_adapter_statsd_udp_dropped_total') },
        },
      ],
    },
    {
      title: 'Page',
      panels: [
        {
          title: 'Series',
          description: 'Kept for what is pushed; the limit is maxSeries.',
          queries: { '{{instance}}': of('outrigger_adapter_series') },
        },
        {
          title: 'Memory',
          description: 'Of the adapter processes.',
          unit: 'bytes',
          queries: { '{{instance}}': of('process_resident_memory_bytes', ',outrigger_role="adapter"') },
        },
        {
          title: 'CPU',
          description: 'Of the adapter processes.',
          unit: 'percentunit',
          queries: { '{{instance}}': rate('process_cpu_seconds_total', ',outrigger_role="adapter"') },
        },
      ],
    },
  ],
};
