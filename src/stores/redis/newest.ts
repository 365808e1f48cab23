import type { SessionStore } from '../../session/store.ts'
import { countForNewest, cutNewest } from '../newest-page.ts'
import { decodePosition, isAfter, newestSessionFirst } from '../page-position.ts'
import type { PagePosition } from '../page-position.ts'
import type { Commands, RedisConnection } from './connection.ts'
import { toUserEntries } from './index-entries.ts'
import type { UserEntry } from './index-entries.ts'
import { userPageScript } from './index-scripts.ts'
import { expiryShards } from './key-names.ts'
import type { KeyNames } from './key-names.ts'
import { readListed } from './read-record.ts'

/** How many entries a page reads from each part of the index in addition to twice its share. */
const SPARE = 8

/**
 * Lists sessions by creation time. The index has as many parts as the expiry index, so that the logins of a cluster do
 * not all write to one server. A page reads some entries of each part and merges them. It ends where a part may have
 * entries that it did not read: that is behind the page, unless nearly all of the newest handles are in one part.
 */
export function createNewestList(connection: RedisConnection, names: KeyNames): Pick<SessionStore, 'listNewest'> {
  /** At least one entry after the position, if there is one, and how many there are to look at. */
  async function read(commands: Commands, position: PagePosition, count: number): Promise<Merged> {
    const share = Math.min(count, 2 * Math.ceil(count / expiryShards) + SPARE)
    const parts = await Promise.all(Array.from({ length: expiryShards }, async (_, shard) => (
      toUserEntries(await commands.run(
        userPageScript, [names.newest(shard)], [position.createdAt, position.handle, share]))
    )))
    return merge(parts, share)
  }

  return {
    listNewest: (filter, page) => connection.use(async commands => {
      const count = countForNewest(filter, page.limit)
      const { entries, more } = await read(commands, decodePosition(page.after), count)
      const looked = entries.slice(0, count - 1)
      const indexed = await Promise.all(looked.map(async position => (
        { position, session: await readListed(commands, names, position.handle) }
      )))
      return cutNewest(indexed, more || entries.length > looked.length, filter, page.limit)
    }),
  }
}

interface Merged {
  readonly entries: readonly UserEntry[]
  /** Whether there may be further entries. */
  readonly more: boolean
}

/** Merges parts of which at most `share` entries were read, as far as none can be missing in between. Pure. */
function merge(parts: readonly (readonly UserEntry[])[], share: number): Merged {
  const ends = parts.filter(part => part.length === share).flatMap(part => part.slice(-1)).sort(newestSessionFirst)
  const [end] = ends
  const sorted = parts.flat().sort(newestSessionFirst)
  return {
    entries: end === undefined ? sorted : sorted.filter(entry => !isAfter(entry, end)),
    more: end !== undefined,
  }
}
