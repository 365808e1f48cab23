// The first requests of a process, on the runtime that runs this. Prints in which contexts its background work ran.
import { createMemoryStore } from '../../../src/stores/memory.ts'
import { observeContexts } from '../../support/request-context.ts'

const host: typeof globalThis & { readonly Bun?: { gc(force: boolean): void } } = globalThis

const { pollCount, ...observed } = await observeContexts(createMemoryStore(), () => {
  host.gc?.()
  host.Bun?.gc(true)
})
console.log(JSON.stringify({ ...observed, hasPolled: pollCount > 20 }))
