import type { Awaitable } from './awaitable.ts'

/**
 * What is loaded by its first use, and once: a promise while that is under way, the thing itself from then on, so that
 * nobody waits for what is there. A use that can not load it rejects as the loading did, and the next one tries again.
 */
export function lazy<Loaded extends object>(load: () => Promise<Loaded>): () => Awaitable<Loaded> {
  let known: Awaitable<Loaded> | null = null

  // Asynchronous, so that what throws before it promises anything has failed no earlier than what rejects.
  const begin = async (): Promise<Loaded> => load()

  return () => known ??= begin().then(loaded => known = loaded, (error: unknown) => {
    known = null
    throw error
  })
}
