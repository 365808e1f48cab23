import type { Change, Removal, SessionStore } from '../../../src/session/store.ts'

/** The methods that a broken store replaces in the correct store that it wraps. */
export type Mutant = (sound: SessionStore) => Partial<SessionStore>

/** Broken stores, each named by its violation of the contract. */
export type Mutants = Readonly<Record<string, Mutant>>

/** A store that does not return some of its changes. */
export function silent(sound: SessionStore, isReturned: (change: Change) => boolean): Partial<SessionStore> {
  return {
    async changesSince(cursor, limit) {
      const page = await sound.changesSince(cursor, limit)
      return { ...page, changes: page.changes.filter(isReturned) }
    },
  }
}

/** Merges the results of removals that were done one by one. */
export function together(removals: readonly Removal[]): Removal {
  return {
    handles: removals.flatMap(({ handles }) => handles),
    until: Math.max(0, ...removals.map(({ until }) => until)),
  }
}

/** Lets concurrent calls continue first. */
export function tick(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
