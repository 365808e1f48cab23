// Refresh tokens without cryptography: a token is the path of branches that leads to it from the login's token.
// Its secret, the hash of its secret and the token are one text; the hash of its anchor is a prefix of that text.
import type { LineagePlace } from '../../../src/session/decide-refresh.ts'

/**
 * A refresh token. `@` is the login's token, `@0` its first child, `@01` the second child of that, and `@0A` the token
 * of a re-authentication while `@0` was current. From a path that does not begin with `@`, a prefix was removed that
 * all paths of its state have in common.
 */
export type Path = string

export const LOGIN: Path = '@'

// Branches are digits, then small letters and what follows them.
const ZERO = 48
const NINE = 57
const AT_SIGN = 64
const CAPITAL_Z = 90
const A = 97

/** Whether the last step of the path is the login. */
export function isLogin(path: Path): boolean {
  return path === LOGIN
}

/** Whether the token is that of a re-authentication: those are named by capital letters. */
export function isReauthenticated(path: Path): boolean {
  return isCapital(path.charCodeAt(path.length - 1))
}

/** How many steps the token is from the login, or from where its path begins. */
export function generationOf(path: Path): number {
  return path.charCodeAt(0) === AT_SIGN ? path.length - 1 : path.length
}

/** Which child of its parent the token is; 0 for the token of an authentication. */
export function branchOf(path: Path): number {
  const last = path.charCodeAt(path.length - 1)
  if (last <= NINE) return last - ZERO
  return last <= CAPITAL_Z ? 0 : last - A + 10
}

export function placeOf(path: Path): LineagePlace {
  return { generation: generationOf(path), branch: branchOf(path) }
}

export function isSamePlace(one: Path, other: Path): boolean {
  return generationOf(one) === generationOf(other) && branchOf(one) === branchOf(other)
}

/** The child that is derived from the token as this branch. */
export function childOf(path: Path, branch: number): Path {
  return path + String.fromCharCode(branch < 10 ? ZERO + branch : A - 10 + branch)
}

export function parentOf(path: Path): Path {
  return path.slice(0, -1)
}

/** The path up to the authentication that began the token's lineage. */
export function anchorOf(path: Path): Path {
  for (let length = path.length; length > 0; length--) {
    if (isCapital(path.charCodeAt(length - 1))) return path.slice(0, length)
  }
  return ''
}

/** How many re-authentications lie on the path. */
export function authenticationsOf(path: Path): number {
  let count = 0
  for (let index = 0; index < path.length; index++) if (isCapital(path.charCodeAt(index))) count++
  return count
}

/** How many characters all paths have in common, so that at least one is left of each. */
export function sharedPrefix(paths: readonly Path[]): number {
  const first = paths[0]
  if (first === undefined) return 0
  let shared = first.length - 1
  for (const path of paths) {
    shared = Math.min(shared, path.length - 1)
    for (let index = 0; index < shared; index++) {
      if (path.charCodeAt(index) !== first.charCodeAt(index)) shared = index
    }
  }
  return shared
}

/**
 * Where branches above `limit` differ in their order alone, gives those at this index of the paths the numbers that
 * follow `limit`; null if they have them.
 */
export function renumberBranches(
  paths: readonly Path[],
  limit: number,
  index: number,
): ((path: Path) => Path) | null {
  const branchAt = (path: Path): number => (path.length > index ? branchOf(path.slice(0, index + 1)) : 0)
  const numbers = [...new Set(paths.map(branchAt))].filter(branch => branch > limit).sort((one, other) => one - other)
  const greatest = numbers.at(-1)
  if (greatest === undefined || greatest === limit + numbers.length) return null
  return path => {
    const position = numbers.indexOf(branchAt(path))
    return position < 0 ? path : childOf(path.slice(0, index), limit + 1 + position) + path.slice(index + 1)
  }
}

/** A readable name of the token. */
export function nameOf(path: Path): string {
  return path === LOGIN ? 'the login\'s token' : `token ${[...path.slice(1)].join('.')}`
}

function isCapital(code: number): boolean {
  return code > AT_SIGN && code <= CAPITAL_Z
}
