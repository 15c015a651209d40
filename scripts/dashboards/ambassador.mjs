/** What an operator of the Redis ambassador looks at: commands and where they went, replicas and their lag, failovers. */

const of = (metric, more = '') => `${metric}{instance=~"$instance"${more}}`;
const rate = (metric, more) => `rate(${of(metric, more)}[$__rate_interval])`;

export const ambassador = {
  uid: 'outrigger-ambassador',
  title: 'Outrigger Redis ambassador',
  description: 'Commands, the split of reads and writes, replicas and failovers.',
  rows: [
    {
      title: 'Commands',
      panels: [
        {
          title: 'Commands by class',
          description: 'And where they went.',
          unit: 'ops',
          queries: {
            '{{class}} {{route}}': `sum by (class, route) (${rate('outrigger_ambassador_commands_total')})`,
          },
        },
        {
          title: 'Busiest commands',
          description: 'The ten most frequent.',
          unit: 'ops',
          queries: {
            '{{command}}': `topk(10, sum by (command) (${rate('outrigger_ambassador_commands_total')}))`,
          },
        },
        {
          title: 'Time to answer, 99 %',
          description: 'From sending a command to a server to its answer.',
          unit: 's',
          queries: {
            '{{class}} {{server}}': `histogram_quantile(0.99, sum by (class, server, le) (${rate('outrigger_ambassador_reply_seconds_bucket')}))`,
          },
        },
      ],
    },
    {
      title: 'Replicas',
      panels: [
        {
          title: 'Reads sent to replicas',
          description: 'By what allowed it.',
          unit: 'ops',
          queries: { '{{path}}': `sum by (path) (${rate('outrigger_ambassador_replica_reads_total')})` },
        },
        {
          title: 'Reads sent to the primary',
          description: 'By why no replica would do.',
          unit: 'ops',
          queries: { '{{reason}}': `sum by (reason) (${rate('outrigger_ambassador_fallbacks_total')})` },
        },
        {
          title: 'Replica lag',
          description: 'Age of the newest state a replica has proven to have.',
          unit: 's',
          queries: { '{{server}}': `max by (server) (${of('outrigger_ambassador_replica_lag_seconds')})` },
        },
      ],
    },
    {
      title: 'Failures',
      panels: [
        {
          title: 'Primary known',
          description: '0 while one is being elected.',
          queries: {
            '{{realm}} {{shard}}': `min by (realm, shard) (${of('outrigger_ambassador_primary_known')})`,
          },
        },
        {
          title: 'Commands refused, repeated and unknown',
          description: 'Refused for want of a server; sent again; lost with their server before it answered.',
          unit: 'ops',
          queries: {
            'refused: {{reason}}': `sum by (reason) (${rate('outrigger_ambassador_refused_total')})`,
            repeated: `sum (${rate('outrigger_ambassador_repeated_commands_total')})`,
            'outcome unknown': `sum (${rate('outrigger_ambassador_unknown_outcomes_total')})`,
          },
        },
        {
          title: 'Connections to servers that failed',
          description: 'By server and phase.',
          unit: 'ops',
          queries: {
            '{{server}} {{phase}}': `sum by (server, phase) (${rate('outrigger_ambassador_upstream_errors_total')})`,
          },
        },
      ],
    },
    {
      title: 'Clients',
      panels: [
        {
          title: 'Clients and connections to servers',
          description: 'What multiplexing saves.',
          queries: {
            clients: `sum (${of('outrigger_ambassador_sessions')})`,
            '{{kind}}': `sum by (kind) (${of('outrigger_ambassador_upstream_connections')})`,
          },
        },
        {
          title: 'Bytes that wait',
          description: 'Commands and answers held in memory.',
          unit: 'bytes',
          queries: { '{{instance}}': of('outrigger_ambassador_buffered_bytes') },
        },
        {
          title: 'CPU',
          description: 'Of the ambassador processes.',
          unit: 'percentunit',
          queries: { '{{instance}}': rate('process_cpu_seconds_total', ',outrigger_role="ambassador"') },
        },
      ],
    },
  ],
};
