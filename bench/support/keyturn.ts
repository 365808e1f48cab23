// The library as it is published: compiled, without anything of the sources' own conditions.
export { createSessions } from '../../dist/index.js'
export type { SignatureAlgorithm } from '../../dist/tokens/crypto.js'
export { expressSessions } from '../../dist/frameworks/express.js'
export { nodeSessions } from '../../dist/frameworks/node.js'
export type { ReadonlySession } from '../../dist/transport/session.js'
export { createMemoryStore } from '../../dist/stores/memory.js'
