/** What an operator of the proxy looks at: traffic, failures, endpoints, and whether it hears of changes. */

const by = 'sum by (service, port)';
const of = (metric, more = '') => `${metric}{instance=~"$instance"${more}}`;
const rate = (metric, more) => `rate(${of(metric, more)}[$__rate_interval])`;

export const proxy = {
  uid: 'outrigger-proxy',
  title: 'Outrigger proxy',
  description: 'Services published by the proxies, their endpoints and failures.',
  rows: [
    {
      title: 'Traffic',
      panels: [
        {
          title: 'Connections opened',
          description: 'Accepted from clients.',
          unit: 'cps',
          queries: { '{{service}} {{port}}': `${by} (${rate('outrigger_proxy_connections_opened_total')})` },
        },
        {
          title: 'Connections open',
          description: 'Open now; the limit is that of the TrafficPolicy.',
          queries: { '{{service}} {{port}}': `${by} (${of('outrigger_proxy_connections_active')})` },
        },
        {
          title: 'Bytes',
          description: 'Relayed from and to clients.',
          unit: 'Bps',
          queries: {
            '{{service}} {{direction}}': `sum by (service, direction) (${rate('outrigger_proxy_bytes_total')})`,
          },
        },
      ],
    },
    {
      title: 'Endpoints',
      panels: [
        {
          title: 'Failures',
          description: 'By reason; docs/troubleshooting.md says what each means.',
          unit: 'cps',
          queries: {
            '{{service}} {{reason}}': `sum by (service, reason) (${rate('outrigger_proxy_failures_total')})`,
          },
        },
        {
          title: 'Endpoints by state',
          description: 'Those in use, and those that are not and why.',
          queries: {
            '{{service}} {{port}} {{state}}': `sum by (service, port, state) (${of('outrigger_proxy_endpoints')})`,
          },
        },
        {
          title: 'Time to connect, 99 %',
          description: 'Successful dials of endpoints.',
          unit: 's',
          queries: {
            '{{service}} {{port}}': `histogram_quantile(0.99, sum by (service, port, le) (${rate('outrigger_proxy_dial_duration_seconds_bucket')}))`,
          },
        },
      ],
    },
    {
      title: 'Configuration',
      panels: [
        {
          title: 'Last sign of life of the watch',
          description: 'Of the quietest watch of each proxy; minutes are too much.',
          unit: 's',
          queries: {
            '{{instance}}': `max by (instance) (${of('outrigger_watch_age_seconds', ',outrigger_role="proxy"')})`,
          },
        },
        {
          title: 'Programming, 99 %',
          description: 'From the change of an endpoint to its being in use.',
          unit: 's',
          queries: {
            '{{instance}}': `histogram_quantile(0.99, sum by (instance, le) (${rate('outrigger_proxy_network_programming_duration_seconds_bucket')}))`,
          },
        },
        {
          title: 'CPU',
          description: 'Of the proxy processes.',
          unit: 'percentunit',
          queries: { '{{instance}}': rate('process_cpu_seconds_total', ',outrigger_role="proxy"') },
        },
      ],
    },
  ],
};
