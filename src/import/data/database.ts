import { GeneralError } from '../../base/errors.ts'
import { checkValue, rule, text } from '../../base/options.ts'
import type { Rule } from '../../base/options.ts'

/** A pool of `pg`, as far as importers use it. */
export interface PostgresQueries {
  query(
    text: string,
    values: unknown[],
  ): Promise<{ readonly rows: readonly unknown[]; readonly rowCount?: number | null }>
}

/** A pool of `mysql2/promise`, as far as importers use it. */
export interface MysqlQueries {
  execute(sql: string, values: (string | number)[]): Promise<readonly [unknown, ...unknown[]]>
}

/** A database of `node:sqlite` or better-sqlite3, as far as importers use it. */
export interface SqliteQueries {
  prepare(sql: string): {
    all(...values: (string | number)[]): unknown[]
    run(...values: (string | number)[]): { readonly changes: number | bigint }
  }
}

/** The database of the old system, over the application's own driver. */
export type ForeignDatabase = PostgresQueries | MysqlQueries | SqliteQueries

/** The rule of the option `database`. */
export const databaseRule: Rule<ForeignDatabase, undefined> = rule(
  'a pool of pg or mysql2/promise, or a database of node:sqlite or better-sqlite3',
  (value): value is ForeignDatabase => typeof value === 'object' && value !== null
    && ('query' in value || 'execute' in value || 'prepare' in value),
)

/** A row of the old system. */
export type ForeignRow = Readonly<Record<string, unknown>>

/** Runs statements with `?` for each value. */
export interface Queries {
  readonly dialect: 'postgres' | 'mysql' | 'sqlite'
  rows(sql: string, values: readonly (string | number)[]): Promise<readonly ForeignRow[]>
  /** Returns how many rows were changed. */
  change(sql: string, values: readonly (string | number)[]): Promise<number>
  /** Quotes the name of a table or a column. */
  quote(name: string): string
}

const nameRule = text('a name of letters, digits, _ and $', /^[A-Za-z_][A-Za-z0-9_$]{0,62}$/)

/** Checks the name of a table or a column: it becomes part of statements. @throws GeneralError (`MISUSE`) */
export function requireName(option: string, name: string): string {
  checkValue(option, nameRule, name)
  return name
}

/** Placeholders for the values of an `IN`. */
export function placeholdersFor(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ')
}

/** Runs statements on any of the databases. */
export function queriesOf(database: ForeignDatabase): Queries {
  if ('prepare' in database) return sqliteQueries(database)
  return 'execute' in database ? mysqlQueries(database) : postgresQueries(database)
}

function postgresQueries(database: PostgresQueries): Queries {
  const numbered = (sql: string): string => {
    let count = 0
    return sql.replaceAll('?', () => `$${++count}`)
  }
  return {
    dialect: 'postgres',
    rows: async (sql, values) => (await database.query(numbered(sql), [...values])).rows.map(rowOf),
    change: async (sql, values) => (await database.query(numbered(sql), [...values])).rowCount ?? 0,
    quote: name => `"${name}"`,
  }
}

function mysqlQueries(database: MysqlQueries): Queries {
  return {
    dialect: 'mysql',
    async rows(sql, values) {
      const [rows] = await database.execute(sql, [...values])
      return Array.isArray(rows) ? rows.map(rowOf) : []
    },
    async change(sql, values) {
      const [result] = await database.execute(sql, [...values])
      return Number(rowOf(result)['affectedRows'] ?? 0)
    },
    quote: name => `\`${name}\``,
  }
}

function sqliteQueries(database: SqliteQueries): Queries {
  return {
    dialect: 'sqlite',
    rows: async (sql, values) => database.prepare(sql).all(...values).map(rowOf),
    change: async (sql, values) => Number(database.prepare(sql).run(...values).changes),
    quote: name => `"${name}"`,
  }
}

function rowOf(value: unknown): ForeignRow {
  if (isRow(value)) return value
  throw new GeneralError('STORE_UNAVAILABLE', 'the database driver of the old system did not return a row')
}

function isRow(value: unknown): value is ForeignRow {
  return typeof value === 'object' && value !== null
}
