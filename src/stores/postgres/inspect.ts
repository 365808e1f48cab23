import { checkOptions, checkValue } from '../../base/options.ts'
import type { StoreNaming, StoreState } from '../kind.ts'
import { requestTimeoutOf } from '../options.ts'
import { conditionOf } from '../sql/migrations.ts'
import { rowOf, readText } from '../sql/row.ts'
import { toStoreError } from './errors.ts'
import { postgresNames } from './names.ts'
import { withConnection } from './open.ts'
import { postgresNameRules, postgresSourceRule } from './options.ts'
import { newestVersion, readVersion } from './schema.ts'

/** Looks for the tables in a database. */
export async function inspectDatabase(url: string, naming: StoreNaming): Promise<StoreState> {
  checkValue('url', postgresSourceRule, url)
  checkOptions('inspect', postgresNameRules, naming)
  const names = postgresNames(naming)
  try {
    return await withConnection(url, async client => {
      const run = async (query: string, values: unknown[] = []): Promise<unknown[]> =>
        (await client.query({ text: query, values })).rows
      const database = readText(rowOf((await run('SELECT current_database() AS name'))[0]), 'name')
      return {
        condition: conditionOf(await readVersion(run, names), newestVersion),
        target: `table ${names.meta} in the PostgreSQL database "${database}"`,
      }
    }, requestTimeoutOf())
  } catch (cause) {
    throw toStoreError(cause)
  }
}
