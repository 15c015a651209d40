/** A plan context for tests that change one thing of it. */

import { DEFAULT_SETTINGS } from '../../src/plan/index.ts';
import type { PlanContext } from '../../src/plan/index.ts';

export const CONTEXT: PlanContext = {
  mode: 'userspace',
  nodeName: 'n1',
  zone: '',
  podCIDRs: [],
  serviceCIDRs: [],
  nodeAddresses: [],
  nodePortAddresses: [],
  masqueradeAll: false,
  defaults: DEFAULT_SETTINGS,
};
