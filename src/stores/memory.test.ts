import { runStoreContract } from '../../test/support/run-contract.ts'
import { createMemoryStore } from './memory.ts'

runStoreContract('memory', async () => {
  const store = createMemoryStore()
  return { open: async () => store, discard: async () => undefined }
})
