/**
 * Which cluster answers, and how far it is: the UID of the kube-system namespace and the server's current revision.
 *
 * One request tells both, and all reflectors of a daemon that lost the same server share it: callers that come while one
 * is under way get the next one, which begins after them, so nobody concludes from an answer that is older than his
 * question.
 */

import { ApiError } from '../api/status.ts';
import type { Logger } from '../log/index.ts';
import type { ApiClient } from './transport/client.ts';

export interface Identity {
  /** The control URL that answered. */
  readonly url: string;
  /** Undefined where we may not read it. */
  readonly identity: string | undefined;
  readonly revision: string | undefined;
}

interface NamespaceList {
  readonly metadata?: { readonly resourceVersion?: string };
  readonly items?: readonly { readonly metadata?: { readonly uid?: string } }[];
}

export class ClusterIdentity {
  readonly #client: ApiClient;
  readonly #log: Logger;
  #running: Promise<Identity> | undefined;
  #following: Promise<Identity> | undefined;
  #refused = false;
  #last: Identity | undefined;

  constructor(client: ApiClient, log: Logger) {
    this.#client = client;
    this.#log = log;
  }

  /** The last answer. */
  get last(): Identity | undefined {
    return this.#last;
  }

  /** Asks after the call, never before it. Rejects like `ApiClient.request`. */
  check(): Promise<Identity> {
    if (this.#running === undefined) return this.#start();
    this.#following ??= this.#running.then(
      () => this.#start(),
      () => this.#start(),
    );
    return this.#following;
  }

  #start(): Promise<Identity> {
    this.#following = undefined;
    const running = this.#ask().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }

  async #ask(): Promise<Identity> {
    const url = this.#client.url;
    try {
      const list = await this.#client.request<NamespaceList>({
        path: '/api/v1/namespaces',
        query: { fieldSelector: 'metadata.name=kube-system' },
        at: url,
      });
      this.#last = {
        url,
        identity: list.items?.[0]?.metadata?.uid,
        revision: list.metadata?.resourceVersion,
      };
    } catch (error) {
      if (!(error instanceof ApiError) || ![403, 404, 405].includes(error.httpStatus)) throw error;
      this.#last = { url, identity: undefined, revision: undefined };
      if (!this.#refused)
        this.#log.warn('the cluster cannot be identified, so a change of it will not be noticed', {
          url,
          error,
        });
      this.#refused = true;
    }
    return this.#last;
  }
}
