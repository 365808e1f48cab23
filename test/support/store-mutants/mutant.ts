import type { Change, Removal, SessionStore } from '../../../src/session/store.ts'

/** What a broken store does differently from the sound one under it. */
export type Mutant = (sound: SessionStore) => Partial<SessionStore>

/** Broken stores, each with the promise that it breaks. */
export type Mutants = Readonly<Record<string, Mutant>>

/** A store that keeps some changes to itself. */
export function silent(sound: SessionStore, told: (change: Change) => boolean): Partial<SessionStore> {
  return {
    async changesSince(cursor, limit) {
      const page = await sound.changesSince(cursor, limit)
      return { ...page, changes: page.changes.filter(told) }
    },
  }
}

/** Removals that were done one by one, as one. */
export function together(removals: readonly Removal[]): Removal {
  return {
    handles: removals.flatMap(({ handles }) => handles),
    until: Math.max(0, ...removals.map(({ until }) => until)),
  }
}

/** Lets other racers go first. */
export function tick(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
