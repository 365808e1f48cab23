// The library as published: bundled, and resolved without the export condition of the sources.
export { createSessions } from '../../dist/index.js'
export type { ReadonlySession, Sessions } from '../../dist/index.js'
export type { JsonObject } from '../../src/base/json.ts'
export type { SignatureAlgorithm } from '../../src/tokens/crypto.ts'
export { expressSessions } from '../../dist/frameworks/express.js'
export { fastifySessions } from '../../dist/frameworks/fastify.js'
export { nodeSessions } from '../../dist/frameworks/node.js'
export { createMemoryStore } from '../../dist/stores/memory.js'
