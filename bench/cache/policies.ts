import { TokenCache } from '../../src/session/token-cache.ts'

/** A cache of tokens that do not expire during the simulation. */
export interface Cache {
  has(token: string): boolean
  add(token: string): void
}

/** The library's cache. */
export function createLibraryCache(capacity: number): Cache {
  const cache = new TokenCache<{ readonly expiresAt: number }>(capacity)
  const value = { expiresAt: 1 }
  return { has: token => cache.get(token) !== undefined, add: token => cache.set(token, value, 0) }
}

/** Admits each token, in the place of the oldest. */
export function createFifo(capacity: number): Cache {
  const tokens = new Set<string>()
  return {
    has: token => tokens.has(token),
    add(token) {
      if (tokens.size === capacity) for (const oldest of tokens) if (tokens.delete(oldest)) break
      tokens.add(token)
    },
  }
}

/**
 * Two generations, each of half of the capacity: when the young one is full, it becomes the old one. A hit in the old
 * one is copied to the young one, so that it is nearly LRU.
 */
export function createTwoGenerations(capacity: number): Cache {
  let young = new Set<string>()
  let old = new Set<string>()
  const cache: Cache = {
    has(token) {
      if (young.has(token)) return true
      const isOld = old.has(token)
      if (isOld) cache.add(token)
      return isOld
    },
    add(token) {
      if (young.size >= capacity / 2) [young, old] = [new Set(), young]
      young.add(token)
    },
  }
  return cache
}
