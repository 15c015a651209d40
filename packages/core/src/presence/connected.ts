/** Presence for a daemon that otherwise asks the control service nothing: a connection of its own, where one is configured. */

import type { Deps } from '../lifecycle/index.ts';
import { version } from '../lifecycle/index.ts';
import { createApiClient, hasControl, resolveConnection } from '../watch/index.ts';
import type { ControlConfig } from '../watch/index.ts';
import { startPresence } from './presence.ts';
import type { PresenceOptions } from './presence.ts';

export interface ConnectedPresence {
  /** Takes the Lease away and closes the connection. Never rejects. */
  stop(): Promise<void>;
}

/** Undefined when the configuration names no control service. Throws what `resolveConnection` throws. */
export async function startConnectedPresence(
  control: ControlConfig,
  options: Omit<PresenceOptions, 'client'>,
  deps: Deps,
): Promise<ConnectedPresence | undefined> {
  if (!hasControl(control)) return undefined;
  const connection = await resolveConnection(control, deps);
  const client = createApiClient(connection, { userAgent: `outrigger-${options.role}/${version}` }, deps);
  const presence = startPresence({ ...options, client }, deps);
  return {
    stop: async () => {
      await presence.stop();
      await client.close();
    },
  };
}
