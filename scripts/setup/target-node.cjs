/**
 * Loaded into npm while it installs: tells it the Node the packages will run on, the pinned one, instead of the one npm
 * itself runs on. npm leaves out optional packages that do not support "its" Node, and an older one would so lose the
 * binaries of the tools. (A preloaded module must be CommonJS on Node 18.)
 */

Object.defineProperty(process, 'version', { value: process.env.OUTRIGGER_TARGET_NODE, enumerable: true });
