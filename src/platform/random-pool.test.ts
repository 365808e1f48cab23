import { expect, test } from 'vitest'
import { poolEntropy } from './random-pool.ts'

/** A generator that counts, and remembers what it filled. */
function counter(): { readonly fills: Uint8Array[]; fill(bytes: Uint8Array): void } {
  let next = 0
  const fills: Uint8Array[] = []
  return {
    fills,
    fill(bytes) {
      fills.push(bytes)
      for (let index = 0; index < bytes.length; index++) bytes[index] = next++ % 251
    },
  }
}

test('TOK-18: no byte is handed out twice, and each draw is as long as asked for', () => {
  const { fill } = counter()
  const entropy = poolEntropy(fill)
  const drawn = Array.from({ length: 2000 }, (_, index) => [...entropy(index % 65)])
  expect(drawn.map(bytes => bytes.length)).toEqual(drawn.map((_, index) => index % 65))
  const bytes = drawn.flat()
  // The counter goes on over the blocks; the end of a block that is too short for a draw is left out.
  for (let index = 1; index < bytes.length; index++) {
    const step = ((bytes[index] ?? 0) - (bytes[index - 1] ?? 0) + 251) % 251
    expect(step).toBeGreaterThan(0)
    expect(step).toBeLessThanOrEqual(65)
  }
})

test('what was handed out is wiped, and shares no memory with the pool', () => {
  const { fill, fills } = counter()
  const entropy = poolEntropy(fill)
  const first = entropy(32)
  expect([...first]).toEqual(Array.from({ length: 32 }, (_, index) => index))
  expect(fills[0]?.slice(0, 32)).toEqual(new Uint8Array(32))
  fills[0]?.fill(255)
  expect(first[5]).toBe(5)
})

test('a long draw comes from the generator itself', () => {
  const { fill, fills } = counter()
  const entropy = poolEntropy(fill)
  expect(entropy(65)).toHaveLength(65)
  expect(fills).toHaveLength(1)
  expect(fills[0]).toHaveLength(65)
})
