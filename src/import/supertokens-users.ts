import { placeholdersFor } from './data/database.ts'
import type { Queries } from './data/database.ts'
import { textIn } from './data/table.ts'

/** Finds the primary users of sessions' users, as the core does. */
export interface PrimaryUsers {
  /** The ids that the application knows: of the primary users, and the external ones if there is a mapping. */
  primariesOf(userIds: readonly string[]): Promise<ReadonlyMap<string, string>>
  /** Every id under which the core may have sessions of the user. */
  usersOf(userId: string): Promise<readonly string[]>
}

/** Creates the look-ups: three short statements for any number of users. */
export function primaryUsers(queries: Queries, named: (table: string) => string, appId: string): PrimaryUsers {
  const mapping = named('userid_mapping')
  const links = named('app_id_to_user_id')

  /** The values of a column by those of another. */
  async function map(table: string, from: string, to: string, ids: readonly string[]): Promise<(id: string) => string> {
    const distinct = [...new Set(ids)]
    const rows = distinct.length === 0 ? [] : await queries.rows(
      `SELECT ${from}, ${to} FROM ${table} WHERE app_id = ? AND ${from} IN (${placeholdersFor(distinct)})`,
      [appId, ...distinct])
    const found = new Map(rows.map(row => [textIn(row, from), textIn(row, to)]))
    return id => found.get(id) ?? id
  }

  return {
    async primariesOf(userIds) {
      const internal = await map(mapping, 'external_user_id', 'supertokens_user_id', userIds)
      const inside = userIds.map(internal)
      const primary = await map(links, 'user_id', 'primary_or_recipe_user_id', inside)
      const external = await map(mapping, 'supertokens_user_id', 'external_user_id', inside.map(primary))
      return new Map(userIds.map(id => [id, external(primary(internal(id)))]))
    },
    async usersOf(userId) {
      const internal = (await map(mapping, 'external_user_id', 'supertokens_user_id', [userId]))(userId)
      const rows = await queries.rows(
        `SELECT user_id FROM ${links} WHERE app_id = ? AND primary_or_recipe_user_id = ?`, [appId, internal])
      const all = [internal, ...rows.flatMap(row => textIn(row, 'user_id') ?? [])]
      const external = await map(mapping, 'supertokens_user_id', 'external_user_id', all)
      return [...new Set([userId, ...all, ...all.map(external)])]
    },
  }
}
