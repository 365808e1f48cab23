import { checkOptions, checkValue } from '../../base/options.ts'
import type { StoreNaming, StoreState } from '../kind.ts'
import { createDeadline } from '../deadline.ts'
import { requestTimeoutOf } from '../options.ts'
import { conditionOf } from '../sql/migrations.ts'
import { readInteger } from '../sql/row.ts'
import { tableNames } from '../sql/table-names.ts'
import { checkConnection } from './check-connection.ts'
import { openPool } from './connections.ts'
import { runnerOn } from './database.ts'
import type { MysqlConnection } from './driver.ts'
import { toStoreError } from './errors.ts'
import { mysqlNames } from './names.ts'
import { mysqlNameRules, mysqlSourceRule } from './options.ts'
import { newestVersion, readVersion } from './schema.ts'

/** Looks for the tables in a database. */
export async function inspectDatabase(url: string, naming: StoreNaming): Promise<StoreState> {
  checkValue('url', mysqlSourceRule, url)
  checkOptions('inspect', mysqlNameRules, naming)
  const names = mysqlNames(naming)
  const within = createDeadline(requestTimeoutOf(), 'the MySQL database')
  const pool = await openPool(url, 1, requestTimeoutOf())
  const opened: MysqlConnection[] = []

  async function inspect(): Promise<StoreState> {
    const connection = await pool.getConnection()
    opened.push(connection)
    const { isMariadb } = await checkConnection(connection)
    const { rows } = runnerOn(connection, isMariadb)
    const [found] = await rows(
      `SELECT DATABASE() AS name, COUNT(*) AS tables FROM information_schema.tables
       WHERE table_schema = DATABASE() AND table_name = ?`, [tableNames(naming.prefix).meta])
    const isThere = found !== undefined && readInteger(found, 'tables') > 0
    return {
      condition: conditionOf(isThere ? await readVersion(rows, names) : null, newestVersion),
      target: `table ${names.meta} in the MySQL database \`${String(found?.['name'])}\``,
    }
  }

  try {
    return await within(inspect())
  } catch (cause) {
    throw toStoreError(cause)
  } finally {
    // A connection that does not answer would not close in an orderly way either.
    for (const connection of opened) connection.destroy()
    await pool.end().catch(() => undefined)
  }
}
