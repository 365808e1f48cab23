import { describe, expect, test } from 'vitest'
import { sampleRecord } from '../testing/samples.ts'
import { decideRefresh } from './decide-refresh.ts'
import { createPolicy } from './policy.ts'

const policy = createPolicy({})
const R = policy.reuseInterval
const T0 = 1_800_000_000_000

/** A session in its third generation, second branch, rotated at T0. */
const record = sampleRecord({
  createdAt: T0 - 3_600_000,
  refreshHash: 'current',
  generation: 3,
  branch: 1,
  confirmed: false,
  rotatedAt: T0,
  servedAt: T0,
  absoluteExpiry: null,
  idleTimeout: policy.idleTimeout,
  expiresAt: T0 + policy.idleTimeout,
})
const current = { generation: 3, branch: 1, hash: 'current' }
const parent = { generation: 2, branch: 0, hash: 'parent' }

const decide = (
  token: { generation: number; branch: number; hash: string },
  now: number,
  { childHash = 'another', ...changes }: Partial<typeof record> & { childHash?: string } = {},
): unknown => decideRefresh({ ...record, ...changes }, token, childHash, now, policy)

describe('case 1: a session that is over', () => {
  test.each([
    ['idle', { expiresAt: T0 + 1000 }],
    ['idle by the policy', { rotatedAt: T0 + 1000 - policy.idleTimeout, servedAt: T0 }],
  ])('%s', (_, changes) => {
    expect(decide(current, T0 + 1000, changes)).toEqual({ kind: 'expired' })
    expect(decide(current, T0 + 999, changes)).toEqual({ kind: 'rotate', adopted: false })
  })
})

describe('case 2: a token ahead of the record is adopted', () => {
  test.each([
    ['a later generation', { generation: 4, branch: 0, hash: 'x' }],
    ['much later', { generation: 9, branch: 0, hash: 'x' }],
    ['a later branch of the same', { generation: 3, branch: 2, hash: 'x' }],
  ])('%s', (_, token) => expect(decide(token, T0)).toEqual({ kind: 'rotate', adopted: true }))
})

test('case 3: the current token rotates, however old it is', () => {
  expect(decide(current, T0)).toEqual({ kind: 'rotate', adopted: false })
  expect(decide(current, T0 + policy.idleTimeout - 1)).toEqual({ kind: 'rotate', adopted: false })
})

describe('cases 4 and 5: the direct parent', () => {
  const child = { childHash: 'current' }
  test.each([
    ['at once', 0, {}, { kind: 'retry', extend: false }],
    ['at the middle of the interval', R / 2, {}, { kind: 'retry', extend: false }],
    ['past the middle', R / 2 + 1, {}, { kind: 'retry', extend: true }],
    ['at its end', R, {}, { kind: 'retry', extend: true }],
    ['past its end', R + 1, {}, { kind: 'branch', branch: 2 }],
    ['past its end, but served since', R + 1, { servedAt: T0 + R / 2 }, { kind: 'retry', extend: true }],
    ['long past its end', 20 * R, {}, { kind: 'branch', branch: 2 }],
    ['within the interval of a confirmed child', R, { confirmed: true }, { kind: 'retry', extend: true }],
    ['past the interval of a confirmed child', R + 1, { confirmed: true }, { kind: 'theft' }],
    ['past it, served since, confirmed', R + 1, { confirmed: true, servedAt: T0 + R }, { kind: 'theft' }],
    ['with a clock that is behind (ROT-12)', -5000, {}, { kind: 'retry', extend: false }],
  ])('%s', (_, later, changes, decision) => {
    expect(decide(parent, T0 + later, { ...child, ...changes })).toEqual(decision)
  })
})

describe('case 6: everything else that we issued is theft', () => {
  test.each([
    ['a displaced branch', { generation: 3, branch: 0, hash: 'displaced' }],
    ['the right place, another token', { generation: 3, branch: 1, hash: 'other' }],
    ['a parent of another child', parent],
    ['an older generation', { generation: 1, branch: 0, hash: 'old' }],
  ])('%s', (_, token) => expect(decide(token, T0)).toEqual({ kind: 'theft' }))
})
