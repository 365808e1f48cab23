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

test('a call that comes after the closing opens nothing', async () => {
  const late = opener(0)
  const store = deferStore(late.open)
  await store.close()
  await expect(store.changesSince(null, 1)).rejects.toThrow('the session store was closed')
  await store.close()
  expect(late.attempts).toBe(0)
})

test('closing while it is opened waits for that, and closes it; an opening that fails is none of its business', async () => {
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
