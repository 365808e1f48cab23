import type { Slice } from './child.ts'

/** The cost of a contender: the medians over the rounds. */
export type Medians = Readonly<Record<string, Slice>>

/** A promise about the ratio of two contenders, or about a bound of one. */
export interface Ratio {
  readonly what: string
  readonly must: string
  readonly value: number
  readonly reached: boolean
}

/** The median of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/**
 * The ratios that Keyturn promises, by CPU time per operation. Each is the median of the ratios of the rounds, so that
 * other load on the machine, which affects both contenders of a round, does not count.
 */
export function ratios(rounds: readonly Medians[], medians: Medians): readonly Ratio[] {
  const faster = (what: string, ours: string, theirs: string, least: number): Ratio => {
    const value = median(rounds.map(round => (round[theirs]?.cpu ?? Number.NaN) / (round[ours]?.cpu ?? Number.NaN)))
    return { what, must: `>= ${least}`, value, reached: value >= least }
  }
  const heap = (what: string, ours: string, most: number): Ratio => {
    const value = medians[ours]?.heap ?? Number.NaN
    return { what, must: `<= ${most}`, value, reached: value <= most }
  }
  const hit = 'keyturn ES256 cookie, hit'
  return [
    faster('EdDSA without cache / raw', 'keyturn EdDSA bearer, no cache', 'node:crypto EdDSA', 0.9),
    faster('ES256 without cache / raw', 'keyturn ES256 bearer, no cache', 'node:crypto ES256', 0.9),
    faster('the same / raw, for a signature in DER', 'keyturn ES256 bearer, no cache', 'node:crypto ECDSA P-256, DER', 0.9),
    faster('RS256 without cache / raw', 'keyturn RS256 bearer, no cache', 'node:crypto RS256', 0.8),
    faster('HS256 without cache / raw HMAC', 'keyturn HS256 bearer, no cache', 'node:crypto HMAC', 0.35),
    faster('hit / jose EdDSA, local JWKS', hit, 'jose EdDSA, local JWKS', 60),
    faster('hit / fast-jwt with its cache', hit, 'fast-jwt EdDSA, cache', 1.5),
    faster('the same, both by bearer token', 'keyturn ES256 bearer, hit', 'fast-jwt EdDSA, cache', 1.5),
    faster('hit / supertokens-node', hit, 'supertokens-node RS256', 35),
    faster('RS256 without cache / supertokens-node', 'keyturn RS256 bearer, no cache', 'supertokens-node RS256', 2.5),
    faster('hit / better-auth with its cookie cache', hit, 'better-auth, cookie cache', 150),
    heap('heap per hit, bytes', hit, 1200),
    heap('heap per miss, bytes', 'keyturn ES256 cookie, miss', 4000),
  ]
}
