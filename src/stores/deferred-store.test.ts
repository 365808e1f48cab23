import { expect, test } from 'vitest'
import { runStoreContract } from '../../test/support/run-contract.ts'
import type { SessionStore } from '../session/store.ts'
import { createMemoryStore } from './memory.ts'
import { deferStore } from './deferred-store.ts'

runStoreContract('deferred', async () => {
  const store = createMemoryStore()
  return { open: async () => deferStore(async () => store), discard: async () => undefined }
})

/** A function that opens a store, whose first attempts fail, and the number of attempts. */
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

test('the first call opens the store, once', async () => {
  const sound = opener(0)
  const store = deferStore(sound.open)
  expect(sound.attempts).toBe(0)
  await Promise.all([store.listKeys(), store.changesSince(null, 1)])
  await store.close()
  expect(sound.attempts).toBe(1)
})

test('if opening fails, the call fails, and the next one tries again', async () => {
  const late = opener(1)
  const store = deferStore(late.open)
  await expect(Promise.all([store.listKeys(), store.changesSince(null, 1)])).rejects.toThrow('not yet')
  expect(await store.listKeys()).toEqual([])
  expect(late.attempts).toBe(2)
})

test('closing an unused store does not open it', async () => {
  const unused = opener(0)
  await deferStore(unused.open).close()
  expect(unused.attempts).toBe(0)
})

test('a call after closing fails and opens nothing', async () => {
  const late = opener(0)
  const store = deferStore(late.open)
  await store.close()
  await expect(store.changesSince(null, 1)).rejects.toThrow('the session store was closed')
  await store.close()
  expect(late.attempts).toBe(0)
})

test('closing waits for an opening that is running, and closes the store; it succeeds if the opening fails', async () => {
  let closings = 0
  const opened = deferStore(async () => ({ ...createMemoryStore(), close: async () => void closings++ }))
  const call = opened.listKeys()
  await opened.close()
  expect(await call).toEqual([])
  expect(closings).toBe(1)

  const failing = opener(1)
  const broken = deferStore(failing.open)
  const failed = expect(broken.listKeys()).rejects.toThrow('not yet')
  await broken.close()
  await failed
  await expect(broken.listKeys()).rejects.toThrow('the session store was closed')
  expect(failing.attempts).toBe(1)
})
