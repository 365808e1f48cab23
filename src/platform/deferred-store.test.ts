import { expect, test } from 'vitest'
import { runStoreContract } from '../../test/support/run-contract.ts'
import type { SessionStore } from '../session/store.ts'
import { createMemoryStore } from '../stores/memory.ts'
import { deferStore } from './deferred-store.ts'

runStoreContract('deferred', async () => {
  const store = createMemoryStore()
  return { open: async () => deferStore(async () => store), discard: async () => undefined }
})

/** How to open a store, whose first attempts fail, and how often that was tried. */
function opener(failures: number): { readonly open: () => Promise<SessionStore>; attempts: number } {
  const opener = {
    attempts: 0,
    async open() {
      if (opener.attempts++ < failures) throw new Error('not yet')
      return createMemoryStore()
    },
  }
  return opener
}

test('the store is opened by the first call, and once', async () => {
  const sound = opener(0)
  const store = deferStore(sound.open)
  expect(sound.attempts).toBe(0)
  await Promise.all([store.listKeys(), store.changesSince(null, 1)])
  await store.close()
  expect(sound.attempts).toBe(1)
})

test('a call that could not open it fails, and the next one tries again', async () => {
  const late = opener(1)
  const store = deferStore(late.open)
  await expect(Promise.all([store.listKeys(), store.changesSince(null, 1)])).rejects.toThrow('not yet')
  expect(await store.listKeys()).toEqual([])
  expect(late.attempts).toBe(2)
})

test('closing what was never used opens nothing', async () => {
  const unused = opener(0)
  await deferStore(unused.open).close()
  expect(unused.attempts).toBe(0)
})
