import { describe, expect, test } from 'vitest'
import { decideReauthentication } from './decide-reauthentication.ts'
import { decideRefresh, mayRotate } from './decide-refresh.ts'
import type { PresentedToken, RotationState } from './decide-refresh.ts'

const R = 30_000
const T0 = 1_800_000_000_000

/** A session in its third generation, second branch, rotated at T0. */
const state: RotationState = {
  generation: 3, branch: 1, confirmed: false, rotatedAt: T0, servedAt: T0, reuseInterval: R,
}
const stranger: PresentedToken = { generation: 3, branch: 1, isAnchored: true, isCurrent: false, isParent: false }
const current: PresentedToken = { ...stranger, isCurrent: true }
const parent: PresentedToken = { ...stranger, generation: 2, branch: 0, isParent: true }

const decide = (token: PresentedToken, later: number, changes: Partial<RotationState> = {}): unknown =>
  decideRefresh({ ...state, ...changes }, token, T0 + later)

describe('row 1a: a token of a lineage that a re-authentication ended', () => {
  const old = { ...parent, isAnchored: false, isParent: false }
  test.each([
    ['at once', 0, { kind: 'busy', until: T0 + R }],
    ['R after it', R, { kind: 'busy', until: T0 + R }],
    ['later', R + 1, { kind: 'superseded' }],
  ])('%s', (_, later, decision) => expect(decide(old, later, { confirmed: true })).toEqual(decision))

  test('is superseded at once if the session has been rotated since', () => {
    expect(decide(old, 0)).toEqual({ kind: 'superseded' })
  })

  test('is superseded at once without a reuse interval', () => {
    expect(decide(old, 0, { confirmed: true, reuseInterval: 0 })).toEqual({ kind: 'superseded' })
  })
})

describe('row 2: a token ahead of the record', () => {
  test.each([
    ['a later generation', { generation: 4, branch: 0 }],
    ['much later', { generation: 9, branch: 0 }],
    ['a later branch of the same', { generation: 3, branch: 2 }],
  ])('%s: is adopted, or without the anchor forged', (_, place) => {
    expect(decide({ ...stranger, ...place }, 0)).toEqual({ kind: 'adopt' })
    expect(decide({ ...stranger, ...place, isAnchored: false }, 0)).toEqual({ kind: 'forged' })
  })
})

describe('row 3: the current token', () => {
  test.each([
    ['at once', 0, {}, { kind: 'early', isServed: false }],
    ['R/4 later', R / 4, {}, { kind: 'early', isServed: false }],
    ['past R/4', R / 4 + 1, {}, { kind: 'early', isServed: true }],
    ['2R later', 2 * R, {}, { kind: 'early', isServed: true }],
    ['past 2R', 2 * R + 1, {}, { kind: 'rotate' }],
    ['past 2R, but served since', 2 * R + 1, { servedAt: T0 + 1 }, { kind: 'early', isServed: true }],
    ['6R after it became current, served since', 6 * R, { servedAt: T0 + 5 * R }, { kind: 'early', isServed: true }],
    ['past 6R, served since', 6 * R + 1, { servedAt: T0 + 6 * R }, { kind: 'rotate' }],
    ['confirmed: the windows are the same', R, { confirmed: true }, { kind: 'early', isServed: true }],
    ['in the first generation', 0, { generation: 0, branch: 0 }, { kind: 'rotate' }],
    ['without a reuse interval', 0, { reuseInterval: 0 }, { kind: 'rotate' }],
    ['with a clock that is behind (ROT-12)', -5000, {}, { kind: 'early', isServed: false }],
  ])('%s', (_, later, changes: Partial<RotationState>, decision) => {
    const place = { generation: changes.generation ?? 3, branch: changes.branch ?? 1 }
    expect(decide({ ...current, ...place }, later, changes)).toEqual(decision)
    expect(mayRotate({ ...state, ...changes }, T0 + later)).toBe(decision.kind === 'rotate')
  })
})

describe('rows 4 and 5: the direct parent of a child that is not confirmed', () => {
  test.each([
    ['at once', 0, {}, { kind: 'retry', isServed: false }],
    ['past R/4', R / 4 + 1, {}, { kind: 'retry', isServed: true }],
    ['2R later', 2 * R, {}, { kind: 'retry', isServed: true }],
    ['past 2R', 2 * R + 1, {}, { kind: 'branch', branch: 2 }],
    ['past 2R, served since', 2 * R + 1, { servedAt: T0 + R }, { kind: 'retry', isServed: true }],
    ['4R later, served since', 4 * R, { servedAt: T0 + 3 * R }, { kind: 'retry', isServed: true }],
    ['past 4R, served since', 4 * R + 1, { servedAt: T0 + 3 * R }, { kind: 'busy', until: T0 + 5 * R }],
    ['past 4R, served just now', 4 * R + 1, { servedAt: T0 + 4 * R }, { kind: 'busy', until: T0 + 6 * R }],
    ['6R later, served since', 6 * R, { servedAt: T0 + 5 * R }, { kind: 'busy', until: T0 + 6 * R }],
    ['past 6R, served since', 6 * R + 1, { servedAt: T0 + 5 * R }, { kind: 'branch', branch: 2 }],
    ['the fifth branch, at once', 0, { branch: 5 }, { kind: 'retry', isServed: false }],
    ['the sixth branch, at once', 0, { branch: 6 }, { kind: 'branch', branch: 7 }],
    ['the sixtieth branch, at once', 0, { branch: 60 }, { kind: 'branch', branch: 61 }],
    ['without a reuse interval, at once', 0, { reuseInterval: 0 }, { kind: 'branch', branch: 2 }],
    ['with a clock that is behind (ROT-12)', -5000, {}, { kind: 'retry', isServed: false }],
  ])('%s', (_, later, changes, decision) => expect(decide(parent, later, changes)).toEqual(decision))
})

describe('row 6: every other token with a valid tag is theft', () => {
  test.each([
    ['the parent of a confirmed child', parent, { confirmed: true }],
    ['the parent of a confirmed child, without a reuse interval', parent, { confirmed: true, reuseInterval: 0 }],
    ['a displaced branch', { ...stranger, branch: 0 }, {}],
    ['the right place, another token', stranger, {}],
    ['the parent of another child', { ...parent, isParent: false }, {}],
    ['an older generation', { ...stranger, generation: 1 }, {}],
    ['a later branch of an older generation', { ...stranger, generation: 2, branch: 5 }, {}],
  ])('%s', (_, token, changes) => expect(decide(token, 0, changes)).toEqual({ kind: 'theft' }))
})

describe('re-authentication', () => {
  const record = { ...state, confirmed: true, authenticatedAt: T0 }
  const now = { gen: 3, auth_time: T0 / 1000 }
  const before = { gen: 2, auth_time: T0 / 1000 - 1 }

  test('uses a generation above those of the record and of the access token, and an `auth_time` at least a second later', () => {
    expect(decideReauthentication(record, now, T0 + 5000))
      .toEqual({ kind: 'reauthenticate', generation: 4, authenticatedAt: T0 + 5000 })
    expect(decideReauthentication(record, { ...now, gen: 9 }, T0 - 5000))
      .toEqual({ kind: 'reauthenticate', generation: 10, authenticatedAt: T0 + 1000 })
  })

  test('with an access token of an ended lineage waits until R after the re-authentication that ended it', () => {
    expect(decideReauthentication(record, before, T0)).toEqual({ kind: 'busy', until: T0 + R })
    expect(decideReauthentication(record, before, T0 + R)).toEqual({ kind: 'busy', until: T0 + R })
    expect(decideReauthentication(record, before, T0 + R + 1)).toMatchObject({ kind: 'reauthenticate' })
    expect(decideReauthentication({ ...record, reuseInterval: 0 }, before, T0))
      .toMatchObject({ kind: 'reauthenticate' })
  })

  test('does not wait if the session has been rotated since, or with an access token of the current lineage', () => {
    expect(decideReauthentication({ ...record, confirmed: false }, before, T0))
      .toMatchObject({ kind: 'reauthenticate' })
    expect(decideReauthentication(record, now, T0)).toMatchObject({ kind: 'reauthenticate' })
  })
})
