// The package takes every version of its optional peers, because npm would otherwise refuse to install it beside a
// version that the application needs for something else. What uses a peer checks its version instead.

/** The oldest supported version of each peer whose version can be read, as major and minor. */
const oldest = {
  axios: [1, 5],
  fastify: [5, 0],
  ioredis: [5, 0],
  mysql2: [3, 11],
  pg: [8, 11],
  redis: [5, 0],
  vue: [3, 3],
} as const

/** A peer whose version is checked. */
export type CheckedPeer = keyof typeof oldest

/**
 * What is wrong with a version that is older than supported; null if nothing is. Newer major versions pass, and so does
 * anything that is not a version. Pure.
 */
export function explainOldVersion(peer: CheckedPeer, version: unknown): string | null {
  const [, major, minor] = /^(\d+)\.(\d+)\./.exec(typeof version === 'string' ? version : '') ?? []
  if (major === undefined || minor === undefined) return null
  const [leastMajor, leastMinor] = oldest[peer]
  const isOld = Number(major) < leastMajor || (Number(major) === leastMajor && Number(minor) < leastMinor)
  return isOld ? unsupported(`${peer} ${String(version)}`, `${peer} ${leastMajor}.${leastMinor} or newer`) : null
}

/** The message for a framework or driver that is too old. */
export function unsupported(found: string, needed: string): string {
  return `${found} is not supported: install ${needed}`
}
