import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createHandle, otherModeOf } from '../base/handle.ts'
import type { SessionHandle } from '../base/handle.ts'
import { HandleTable } from './handle-table.ts'

const PARTS = 128
const handle: fc.Arbitrary<SessionHandle> = fc.uint8Array({ minLength: 16, maxLength: 16 })
  .map(bytes => createHandle('cookie', () => bytes))

test('behaves like a Map, whatever is set and pruned', () => {
  const entry = fc.record({ handle, value: fc.nat(0xffff_ffff), until: fc.integer({ min: 1, max: 1000 }) })
  fc.assert(fc.property(fc.array(entry, { maxLength: 400 }), fc.nat(1000), (entries, now) => {
    const table = new HandleTable()
    const model = new Map<SessionHandle, { value: number; until: number }>()
    for (const { handle: key, value, until } of [...entries, ...entries.slice(0, 50)]) {
      table.set(key, value, until * 1000)
      model.set(key, { value, until: Math.max(until, model.get(key)?.until ?? 0) })
    }
    expect(table.size).toBe(model.size)
    for (const [key, { value }] of model) expect(table.get(key)).toBe(value)
    for (let part = 0; part < PARTS; part++) table.prune(now * 1000)
    for (const [key, { value, until }] of model) {
      if (until > now) expect(table.get(key)).toBe(value)
      if (until + 1 < now) expect(table.get(key)).toBeNull()
    }
  }), { numRuns: 100 })
})

test('a handle that was never set is not found among many others', () => {
  const table = new HandleTable()
  let generated = 0
  const entropy = (length: number): Uint8Array => {
    generated++
    return crypto.getRandomValues(new Uint8Array(length))
  }
  for (let count = 0; count < 20_000; count++) table.set(createHandle('header', entropy), 1, 1000)
  expect(table.size).toBe(generated)
  for (let count = 0; count < 20_000; count++) expect(table.get(createHandle('header', entropy))).toBeNull()
})

test('IMP-04: the two handles of a session of another system, one for each transfer mode, are different', () => {
  fc.assert(fc.property(handle, fc.boolean(), (key, isFirst) => {
    const handles = [key, otherModeOf(key)] as const
    const [known, other] = isFirst ? handles : [handles[1], handles[0]]
    const table = new HandleTable()
    table.set(known, 1, 1000)
    expect([table.get(known), table.get(other)]).toEqual([1, null])
    table.set(other, 2, 1000)
    expect([table.get(known), table.get(other), table.size]).toEqual([1, 2, 2])
  }), { numRuns: 100 })
})
