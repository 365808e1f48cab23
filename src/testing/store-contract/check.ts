import { ensureEqual } from '../assert.ts'
import { sampleHandle, sampleRecord } from '../samples.ts'
import type { ContractCase } from './contract-case.ts'

/** The check before the first request. */
export const checkCases: readonly ContractCase[] = [
  {
    name: 'check: resolves for a store that can be used, any number of times, and changes nothing',
    async run({ open }) {
      const store = await open()
      await Promise.all([store.check(), store.check()])
      ensureEqual(await store.changesSince(null, 10), { changes: [], cursor: null, more: false }, 'the log is empty')
      ensureEqual(await store.listKeys(), [], 'there is no key')
      await store.insert(sampleRecord())
      await store.check()
      ensureEqual(await store.find(sampleHandle(1)), sampleRecord(), 'the session is as it was')
    },
  },
]
