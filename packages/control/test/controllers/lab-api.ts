/** The service as tests use it: what controllers may do, and what others can do and see besides. */

import type { Kind, KubernetesObject } from '@outrigger/core/api';
import type { ControllerApi } from '../../src/controllers/api.ts';

export interface Write {
  readonly verb: 'create' | 'update' | 'updateStatus' | 'delete';
  readonly kind: string;
  readonly name: string;
}

export interface LabApi extends ControllerApi {
  /** Every write that succeeded, in order. */
  readonly writes: Write[];
  /** Called before each write; what it throws, the write rejects with. */
  onWrite: (write: Write) => void;
  /** Turns of the event loop after which everything that needs no time has happened. */
  readonly turns: number;
  /** What a user's DELETE does to a running pod: it is only marked. */
  deleteGracefully<T extends KubernetesObject>(kind: Kind<T>, object: T, seconds: number): Promise<void>;
  /** To be read only. */
  list<T extends KubernetesObject>(kind: Kind<T>): readonly T[];
  /** A copy. */
  find<T extends KubernetesObject>(kind: Kind<T>, namespace: string, name: string): T | undefined;
  close(): Promise<void>;
}
