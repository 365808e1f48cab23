import type { SessionHandle } from '../../base/handle.ts'
import type { EpochMilliseconds } from '../../base/time.ts'
import { isAfter } from '../page-position.ts'
import type { PagePosition } from '../page-position.ts'
import { partitionPoint } from './partition-point.ts'

/** Where a session is in the list of its user. */
export interface SessionPlace extends PagePosition {
  readonly handle: SessionHandle
  readonly createdAt: EpochMilliseconds
}

/** The sessions of each user, oldest first, so that a page is found without sorting. */
export interface UserIndex {
  add(userId: string, place: SessionPlace): void
  remove(userId: string, place: SessionPlace): void
  /** At most `limit` sessions of the user after this position, newest first. */
  read(userId: string, position: PagePosition, limit: number): readonly SessionPlace[]
}

/** Creates an empty index. */
export function createUserIndex(): UserIndex {
  const users = new Map<string, SessionPlace[]>()
  return {
    add(userId, place) {
      const places = users.get(userId)
      if (places === undefined) users.set(userId, [place])
      else places.splice(countAfter(places, place), 0, place)
    },
    remove(userId, place) {
      const places = users.get(userId) ?? []
      const index = countAfter(places, place)
      if (places[index]?.handle === place.handle) places.splice(index, 1)
      if (places.length === 0) users.delete(userId)
    },
    read(userId, position, limit) {
      const places = users.get(userId) ?? []
      const end = countAfter(places, position)
      return places.slice(Math.max(0, end - limit), end).reverse()
    },
  }
}

/** How many places come after the position: those at the beginning. */
function countAfter(places: readonly SessionPlace[], position: PagePosition): number {
  return partitionPoint(places, place => isAfter(place, position))
}
