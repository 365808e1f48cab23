// Reduces records and access tokens to what can still make a difference: ages above every bound of a rule are one age,
// and tokens that nothing depends on are dropped.
import { branchOf, generationOf, isLogin } from './paths.ts'
import type { Path } from './paths.ts'
import type { CompactRecord } from './record.ts'

/** The ages, in steps, above which a greater age makes no difference. */
export interface Horizon {
  readonly rotated: number
  readonly served: number
  readonly accessToken: number
}

/** A token that a party has, and how many steps ago its access token was issued. */
export interface Held {
  readonly token: Path
  readonly age: number
}

/**
 * How far the rules look back: 6R at `rotatedAt`, 2R at `servedAt` and at an access token.
 * @param clocks how far the processes' clocks are apart
 * @param lifetime how long an access token has to live at least before it is refreshed
 * @param rotated another bound on `rotatedAt`, for rules that look further back
 */
export function horizonOf(reuseInterval: number, clocks: number, lifetime: number, rotated: number | null): Horizon {
  return {
    rotated: (rotated ?? 6 * reuseInterval) + 1 + clocks,
    served: 2 * reuseInterval + 1 + clocks,
    accessToken: Math.max(2 * reuseInterval, lifetime) + clocks,
  }
}

/** A record whose age is that of the horizon. */
export function oldRecord(current: Path, { rotated, served }: Horizon): CompactRecord {
  return { current, isConfirmed: true, rotated, served }
}

export function older(record: CompactRecord): CompactRecord {
  const { current, isConfirmed, rotated, served } = record
  return { current, isConfirmed, rotated: rotated + 1, served: served + 1 }
}

/** The record with its ages cut off. If one of them is above every bound, no rule uses the other one. */
export function cutOff(record: CompactRecord, { rotated, served }: Horizon): CompactRecord {
  const isOld = isLogin(record.current) || record.served >= served || record.rotated >= rotated
  if (!isOld || (record.served === served && record.rotated === rotated)) return record
  return { current: record.current, isConfirmed: record.isConfirmed, rotated, served }
}

/** Whether a confirmation of the token could still change the record, or one that comes back from it. */
export function canConfirm(record: CompactRecord | null, token: Path): boolean {
  if (record === null) return false
  const ahead = generationOf(token) - generationOf(record.current)
  if (ahead !== 0) return ahead > 0
  const branch = branchOf(token)
  const current = branchOf(record.current)
  return branch > current || (branch === current && !record.isConfirmed)
}

export function atMost(value: number, most: number): number {
  return value > most ? most : value
}

export function keyOfRecord({ current, isConfirmed, rotated, served }: CompactRecord): string {
  return current + (isConfirmed ? '!' : '?') + rotated + ',' + served
}

export function isSameRecord(one: CompactRecord, other: CompactRecord): boolean {
  return one.current === other.current && one.isConfirmed === other.isConfirmed
    && one.rotated === other.rotated && one.served === other.served
}

export function renameHeld({ token, age }: Held, rename: (token: Path) => Path): Held {
  return { token: rename(token), age }
}

export function renameRecord(record: CompactRecord, rename: (token: Path) => Path): CompactRecord {
  const { current, isConfirmed, rotated, served } = record
  return { current: rename(current), isConfirmed, rotated, served }
}
