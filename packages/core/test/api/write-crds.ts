/** Writes `examples/crds` anew: `node --conditions=@outrigger/source packages/core/test/api/write-crds.ts`. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { folder, manifests } from './crd-manifests.ts';

mkdirSync(folder, { recursive: true });
for (const { file, text } of manifests()) writeFileSync(new URL(file, folder), text);
