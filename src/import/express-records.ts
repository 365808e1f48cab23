import { isJsonObject, parseJsonObject } from '../base/json.ts'
import type { JsonObject } from '../base/json.ts'
import { checkValue } from '../base/options.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import { databaseRule } from './data/database.ts'
import type { ForeignDatabase, ForeignRow, MysqlQueries, PostgresQueries, SqliteQueries } from './data/database.ts'
import { foreignValues, redisRule } from './data/redis.ts'
import type { ForeignRedis } from './data/redis.ts'
import { foreignTable, numberIn, textIn, timeIn, timeOf } from './data/table.ts'
import type { TablePlace } from './data/table.ts'

/** Where express-session keeps its sessions. */
export interface ExpressRecords {
  /** Reads a session; null if the store has none. It may have expired. */
  find(id: string): Promise<ExpressRecord | null>
  /** Deletes a session. It succeeds if there is none. */
  remove(id: string): Promise<void>
  /** Some sessions, for `checkImport`. */
  page(after: string | null, limit: number): Promise<{
    readonly records: readonly { readonly id: string; readonly record: ExpressRecord }[]
    readonly next: string | null
  }>
  /** How many sessions the store has; null if that is unknown. */
  count(): Promise<number | null>
}

/** A session of express-session. */
export interface ExpressRecord {
  /** Null if it is not JSON. */
  readonly data: JsonObject | null
  /** Null: it does not expire, or the store deletes it by itself. */
  readonly expiresAt: EpochMilliseconds | null
}

/** The sessions of connect-redis. `prefix`: its option, by default `sess:`. */
export function connectRedisSessions(
  client: ForeignRedis,
  { prefix = 'sess:' }: { readonly prefix?: string } = {},
): ExpressRecords {
  checkValue('client', redisRule, client)
  const values = foreignValues(client)
  async function find(id: string): Promise<ExpressRecord | null> {
    const text = await values.read(prefix + id)
    // Redis deletes what has expired.
    return text === null ? null : { data: parseJsonObject(text), expiresAt: null }
  }
  return {
    find,
    remove: id => values.remove(prefix + id),
    async page(after, limit) {
      const { keys, next } = await values.scan(prefix, after, limit)
      const records = await Promise.all(keys.map(async key => {
        const id = key.slice(prefix.length)
        const record = await find(id)
        return record === null ? [] : [{ id, record }]
      }))
      return { records: records.flat(), next }
    },
    count: async () => null,
  }
}

/** The sessions of connect-pg-simple. `tableName`, `schemaName`: its options, by default `session` and none. */
export function connectPgSimpleSessions(
  pool: PostgresQueries,
  { tableName = 'session', schemaName }: { readonly tableName?: string; readonly schemaName?: string } = {},
): ExpressRecords {
  const place = { table: tableName, schema: schemaName, key: 'sid', times: { expire: 'instant' } } as const
  return sqlRecords(pool, place, row => ({ data: objectIn(row, 'sess'), expiresAt: timeIn(row, 'expire') }))
}

/** The sessions of express-mysql-session. `schema`: its option. */
export function expressMysqlSessions(
  pool: MysqlQueries,
  { schema: { tableName = 'sessions', columnNames = {} } = {} }: {
    readonly schema?: {
      readonly tableName?: string
      readonly columnNames?: { readonly session_id?: string; readonly expires?: string; readonly data?: string }
    }
  } = {},
): ExpressRecords {
  const { session_id: id = 'session_id', expires = 'expires', data = 'data' } = columnNames
  return sqlRecords(pool, { table: tableName, key: id }, row => {
    const seconds = numberIn(row, expires)
    return { data: objectIn(row, data), expiresAt: seconds === null ? null : seconds * 1000 }
  })
}

/** The sessions of better-sqlite3-session-store. */
export function betterSqlite3Sessions(
  database: SqliteQueries,
  { table = 'sessions' }: { readonly table?: string } = {},
): ExpressRecords {
  return sqlRecords(database, { table, key: 'sid' }, row => (
    { data: objectIn(row, 'sess'), expiresAt: timeOf(row['expire']) }
  ))
}

function sqlRecords(
  database: ForeignDatabase,
  place: TablePlace,
  read: (row: ForeignRow) => ExpressRecord,
): ExpressRecords {
  checkValue('database', databaseRule, database)
  const { key } = place
  const table = foreignTable(database, place)
  return {
    async find(id) {
      const row = await table.find({ [key]: id })
      return row === null ? null : read(row)
    },
    remove: async id => void await table.remove({ [key]: id }),
    async page(after, limit) {
      const rows = await table.page(after, limit)
      const records = rows.map(row => ({ id: textIn(row, key) ?? '', record: read(row) }))
      return { records, next: rows.length < limit ? null : records.at(-1)?.id ?? null }
    },
    count: table.count,
  }
}

/** JSON, which some drivers have parsed. */
function objectIn(row: ForeignRow, column: string): JsonObject | null {
  const value = row[column]
  if (value instanceof Uint8Array) return parseJsonObject(new TextDecoder().decode(value))
  return typeof value === 'string' ? parseJsonObject(value) : isJsonObject(value) ? value : null
}
