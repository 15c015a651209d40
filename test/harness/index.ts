/** The test harness: tools, programs, ports, folders. Everything cleans up after itself. */

export { needs, tool, toolPath } from './tools.ts';
export type { Ability, FoundTool, MissingTool, ToolName } from './tools.ts';
export { RunningProcess, startProcess } from './process.ts';
export type { Exit, ProcessOptions } from './process.ts';
export { freePort } from './free-port.ts';
export { tempDir } from './temp-dir.ts';
export { startRedis } from './redis.ts';
export type { Redis, RedisOptions } from './redis.ts';
export { startSentinels } from './redis-sentinel.ts';
export type { SentinelOptions, Sentinels } from './redis-sentinel.ts';
export { startCluster } from './redis-cluster.ts';
export type { Cluster, ClusterNode, ClusterOptions, SlotMove } from './redis-cluster.ts';
export type { Teardown } from './teardown.ts';
