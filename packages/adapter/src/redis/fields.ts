/**
 * Fields of INFO and CLUSTER INFO and what they are called on the page: the names of redis_exporter, which dashboards
 * know. Where its name makes no valid counter, ours differs (docs/adapter-sources.md lists which).
 */

import type { MetricType } from '@outrigger/core/exposition';

export interface FieldMetric {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  /** The number is divided by it. */
  readonly divisor: number;
}

/** Field, name without `redis_`, divisor where it is not 1. */
type Row = readonly [field: string, name: string, divisor?: number];

const gauges: readonly Row[] = [
  // server
  ['uptime_in_seconds', 'uptime_in_seconds'],
  ['process_id', 'process_id'],
  ['io_threads_active', 'io_threads_active'],
  // clients
  ['connected_clients', 'connected_clients'],
  ['blocked_clients', 'blocked_clients'],
  ['tracking_clients', 'tracking_clients'],
  ['clients_in_timeout_table', 'clients_in_timeout_table'],
  ['cluster_connections', 'cluster_connections'],
  ['pubsub_clients', 'pubsub_clients'],
  ['watching_clients', 'watching_clients'],
  ['total_watched_keys', 'total_watched_keys'],
  ['total_blocking_keys', 'total_blocking_keys'],
  ['total_blocking_keys_on_nokey', 'total_blocking_keys_on_nokey'],
  ['maxclients', 'max_clients'],
  ['client_longest_output_list', 'client_longest_output_list'],
  ['client_biggest_input_buf', 'client_biggest_input_buf'],
  ['client_recent_max_output_buffer', 'client_recent_max_output_buffer_bytes'],
  ['client_recent_max_input_buffer', 'client_recent_max_input_buffer_bytes'],
  // memory
  ['allocator_active', 'allocator_active_bytes'],
  ['allocator_allocated', 'allocator_allocated_bytes'],
  ['allocator_resident', 'allocator_resident_bytes'],
  ['allocator_frag_ratio', 'allocator_frag_ratio'],
  ['allocator_frag_bytes', 'allocator_frag_bytes'],
  ['allocator_rss_ratio', 'allocator_rss_ratio'],
  ['allocator_rss_bytes', 'allocator_rss_bytes'],
  ['used_memory', 'memory_used_bytes'],
  ['used_memory_rss', 'memory_used_rss_bytes'],
  ['used_memory_peak', 'memory_used_peak_bytes'],
  ['used_memory_lua', 'memory_used_lua_bytes'],
  ['used_memory_vm_eval', 'memory_used_vm_eval_bytes'],
  ['used_memory_scripts_eval', 'memory_used_scripts_eval_bytes'],
  ['used_memory_overhead', 'memory_used_overhead_bytes'],
  ['used_memory_startup', 'memory_used_startup_bytes'],
  ['used_memory_dataset', 'memory_used_dataset_bytes'],
  ['number_of_cached_scripts', 'number_of_cached_scripts'],
  ['number_of_functions', 'number_of_functions'],
  ['number_of_libraries', 'number_of_libraries'],
  ['used_memory_vm_functions', 'memory_used_vm_functions_bytes'],
  ['used_memory_scripts', 'memory_used_scripts_bytes'],
  ['used_memory_functions', 'memory_used_functions_bytes'],
  ['used_memory_vm_total', 'memory_used_vm_total_bytes'],
  ['total_system_memory', 'total_system_memory_bytes'],
  ['maxmemory', 'memory_max_bytes'],
  ['maxmemory_reservation', 'memory_max_reservation_bytes'],
  ['maxmemory_desired_reservation', 'memory_max_reservation_desired_bytes'],
  ['maxfragmentationmemory_reservation', 'memory_max_fragmentation_reservation_bytes'],
  ['maxfragmentationmemory_desired_reservation', 'memory_max_fragmentation_reservation_desired_bytes'],
  ['mem_fragmentation_ratio', 'mem_fragmentation_ratio'],
  ['mem_fragmentation_bytes', 'mem_fragmentation_bytes'],
  ['mem_clients_slaves', 'mem_clients_slaves'],
  ['mem_clients_normal', 'mem_clients_normal'],
  ['mem_cluster_links', 'mem_cluster_links_bytes'],
  ['mem_aof_buffer', 'mem_aof_buffer_bytes'],
  ['mem_replication_backlog', 'mem_replication_backlog_bytes'],
  ['expired_stale_perc', 'expired_stale_percentage'],
  ['mem_not_counted_for_evict', 'mem_not_counted_for_eviction_bytes'],
  ['mem_total_replication_buffers', 'mem_total_replication_buffers_bytes'],
  ['mem_overhead_db_hashtable_rehashing', 'mem_overhead_db_hashtable_rehashing_bytes'],
  ['lazyfree_pending_objects', 'lazyfree_pending_objects'],
  ['active_defrag_running', 'active_defrag_running'],
  // persistence
  ['loading', 'loading_dump_file'],
  ['async_loading', 'async_loading'],
  ['rdb_changes_since_last_save', 'rdb_changes_since_last_save'],
  ['rdb_bgsave_in_progress', 'rdb_bgsave_in_progress'],
  ['rdb_last_save_time', 'rdb_last_save_timestamp_seconds'],
  ['rdb_last_bgsave_status', 'rdb_last_bgsave_status'],
  ['rdb_last_bgsave_time_sec', 'rdb_last_bgsave_duration_sec'],
  ['rdb_current_bgsave_time_sec', 'rdb_current_bgsave_duration_sec'],
  ['rdb_last_cow_size', 'rdb_last_cow_size_bytes'],
  ['rdb_last_load_keys_expired', 'rdb_last_load_expired_keys'],
  ['rdb_last_load_keys_loaded', 'rdb_last_load_loaded_keys'],
  ['aof_enabled', 'aof_enabled'],
  ['aof_rewrite_in_progress', 'aof_rewrite_in_progress'],
  ['aof_rewrite_scheduled', 'aof_rewrite_scheduled'],
  ['aof_last_rewrite_time_sec', 'aof_last_rewrite_duration_sec'],
  ['aof_current_rewrite_time_sec', 'aof_current_rewrite_duration_sec'],
  ['aof_last_cow_size', 'aof_last_cow_size_bytes'],
  ['aof_current_size', 'aof_current_size_bytes'],
  ['aof_base_size', 'aof_base_size_bytes'],
  ['aof_pending_rewrite', 'aof_pending_rewrite'],
  ['aof_buffer_length', 'aof_buffer_length'],
  ['aof_rewrite_buffer_length', 'aof_rewrite_buffer_length'],
  ['aof_pending_bio_fsync', 'aof_pending_bio_fsync'],
  ['aof_delayed_fsync', 'aof_delayed_fsync'],
  ['aof_last_bgrewrite_status', 'aof_last_bgrewrite_status'],
  ['aof_last_write_status', 'aof_last_write_status'],
  ['module_fork_in_progress', 'module_fork_in_progress'],
  ['module_fork_last_cow_size', 'module_fork_last_cow_size'],
  // stats
  ['instantaneous_ops_per_sec', 'instantaneous_ops_per_sec'],
  ['current_eviction_exceeded_time', 'current_eviction_exceeded_time_ms'],
  ['pubsub_channels', 'pubsub_channels'],
  ['pubsub_patterns', 'pubsub_patterns'],
  ['pubsubshard_channels', 'pubsubshard_channels'],
  ['latest_fork_usec', 'latest_fork_seconds', 1e6],
  ['tracking_total_keys', 'tracking_total_keys'],
  ['tracking_total_items', 'tracking_total_items'],
  ['tracking_total_prefixes', 'tracking_total_prefixes'],
  ['active_defrag_hits', 'defrag_hits'],
  ['active_defrag_misses', 'defrag_misses'],
  ['active_defrag_key_hits', 'defrag_key_hits'],
  ['active_defrag_key_misses', 'defrag_key_misses'],
  ['migrate_cached_sockets', 'migrate_cached_sockets'],
  // replication
  ['connected_slaves', 'connected_slaves'],
  ['repl_backlog_size', 'replication_backlog_bytes'],
  ['repl_backlog_active', 'repl_backlog_is_active'],
  ['repl_backlog_first_byte_offset', 'repl_backlog_first_byte_offset'],
  ['repl_backlog_histlen', 'repl_backlog_history_bytes'],
  ['master_repl_offset', 'master_repl_offset'],
  ['second_repl_offset', 'second_repl_offset'],
  ['slave_expires_tracked_keys', 'slave_expires_tracked_keys'],
  ['slave_priority', 'slave_priority'],
  ['sync_full', 'replica_resyncs_full'],
  ['sync_partial_ok', 'replica_partial_resync_accepted'],
  ['sync_partial_err', 'replica_partial_resync_denied'],
  // cluster
  ['cluster_enabled', 'cluster_enabled'],
  // sentinel
  ['sentinel_masters', 'sentinel_masters'],
  ['sentinel_tilt', 'sentinel_tilt'],
  ['sentinel_running_scripts', 'sentinel_running_scripts'],
  ['sentinel_scripts_queue_length', 'sentinel_scripts_queue_length'],
  ['sentinel_simulate_failure_flags', 'sentinel_simulate_failure_flags'],
  // keydb
  ['server_threads', 'server_threads'],
  ['current_client_thread', 'current_client_thread'],
  // search
  ['search_number_of_indexes', 'search_number_of_indexes'],
  ['search_used_memory_indexes', 'search_used_memory_indexes_bytes'],
  ['search_global_idle', 'search_global_idle'],
  ['search_global_total', 'search_global_total'],
  ['search_bytes_collected', 'search_collected_bytes'],
  ['search_dialect_1', 'search_dialect_1'],
  ['search_dialect_2', 'search_dialect_2'],
  ['search_dialect_3', 'search_dialect_3'],
  ['search_dialect_4', 'search_dialect_4'],
];

const counters: readonly Row[] = [
  // clients
  ['client_query_buffer_limit_disconnections', 'client_query_buffer_limit_disconnections_total'],
  ['client_output_buffer_limit_disconnections', 'client_output_buffer_limit_disconnections_total'],
  // stats
  ['total_connections_received', 'connections_received_total'],
  ['total_commands_processed', 'commands_processed_total'],
  ['rejected_connections', 'rejected_connections_total'],
  ['total_net_input_bytes', 'net_input_bytes_total'],
  ['total_net_output_bytes', 'net_output_bytes_total'],
  ['total_net_repl_input_bytes', 'net_repl_input_bytes_total'],
  ['total_net_repl_output_bytes', 'net_repl_output_bytes_total'],
  ['expired_subkeys', 'expired_subkeys_total'],
  ['expired_keys', 'expired_keys_total'],
  ['expired_time_cap_reached_count', 'expired_time_cap_reached_total'],
  ['expire_cycle_cpu_milliseconds', 'expire_cycle_cpu_time_ms_total'],
  ['evicted_keys', 'evicted_keys_total'],
  ['evicted_clients', 'evicted_clients_total'],
  ['evicted_scripts', 'evicted_scripts_total'],
  ['total_eviction_exceeded_time', 'eviction_exceeded_time_ms_total'],
  ['keyspace_hits', 'keyspace_hits_total'],
  ['keyspace_misses', 'keyspace_misses_total'],
  ['total_forks', 'forks_total'],
  ['lazyfreed_objects', 'lazyfreed_objects_total'],
  ['rdb_saves', 'rdb_saves_total'],
  ['aof_rewrites', 'aof_rewrites_total'],
  ['unexpected_error_replies', 'unexpected_error_replies_total'],
  ['total_error_replies', 'error_replies_total'],
  ['dump_payload_sanitizations', 'dump_payload_sanitizations_total'],
  ['total_reads_processed', 'reads_processed_total'],
  ['total_writes_processed', 'writes_processed_total'],
  ['io_threaded_reads_processed', 'io_threaded_reads_processed_total'],
  ['io_threaded_writes_processed', 'io_threaded_writes_processed_total'],
  ['reply_buffer_shrinks', 'reply_buffer_shrinks_total'],
  ['reply_buffer_expands', 'reply_buffer_expands_total'],
  ['acl_access_denied_auth', 'acl_access_denied_auth_total'],
  ['acl_access_denied_cmd', 'acl_access_denied_cmd_total'],
  ['acl_access_denied_key', 'acl_access_denied_key_total'],
  ['acl_access_denied_channel', 'acl_access_denied_channel_total'],
  // cpu
  ['used_cpu_sys', 'cpu_sys_seconds_total'],
  ['used_cpu_user', 'cpu_user_seconds_total'],
  ['used_cpu_sys_children', 'cpu_sys_children_seconds_total'],
  ['used_cpu_user_children', 'cpu_user_children_seconds_total'],
  ['used_cpu_sys_main_thread', 'cpu_sys_main_thread_seconds_total'],
  ['used_cpu_user_main_thread', 'cpu_user_main_thread_seconds_total'],
  // cluster
  ['cluster_stats_messages_sent', 'cluster_messages_sent_total'],
  ['cluster_stats_messages_received', 'cluster_messages_received_total'],
  // keydb
  ['cached_keys', 'cached_keys_total'],
  ['storage_provider_read_hits', 'storage_provider_read_hits_total'],
  ['storage_provider_read_misses', 'storage_provider_read_misses_total'],
  ['long_lock_waits', 'long_lock_waits_total'],
  // search
  ['search_total_indexing_time', 'search_indexing_time_ms_total'],
  ['search_total_cycles', 'search_cycles_total'],
  ['search_total_ms_run', 'search_run_ms_total'],
];

export const fieldMetrics: ReadonlyMap<string, FieldMetric> = new Map([
  ...gauges.map((row) => entry('gauge', row)),
  ...counters.map((row) => entry('counter', row)),
]);

/** Fields of CLUSTER INFO beyond the table keep their names, all of which begin with `cluster_`. */
export function clusterMetric(field: string): FieldMetric | undefined {
  const known = fieldMetrics.get(field);
  if (known !== undefined || !/^cluster_[a-z0-9_]+$/.test(field)) return known;
  return { name: `redis_${field}`, type: 'gauge', help: `${field} of CLUSTER INFO.`, divisor: 1 };
}

function entry(type: MetricType, [field, name, divisor = 1]: Row): [string, FieldMetric] {
  return [field, { name: `redis_${name}`, type, help: `${field} of INFO.`, divisor }];
}
