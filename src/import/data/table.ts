import type { EpochMilliseconds } from '../../base/time.ts'
import { placeholdersFor, queriesOf, requireName } from './database.ts'
import type { ForeignDatabase, ForeignRow, Queries } from './database.ts'

/**
 * How a column holds a time. `instant`: the database knows its zone, or it is in the zone of the connection, as the old
 * system's driver writes it. `utc`: a date without a zone, in UTC; on PostgreSQL also a date with a zone. Numbers need
 * no such entry.
 */
export type TimeKind = 'instant' | 'utc'

/** A table of the old system. */
export interface ForeignTable {
  /**
   * The row with exactly these values, or null. Databases also find others: texts in MySQL ignore case and accents by
   * default, and the type uuid of PostgreSQL has several spellings. Each would be a session of its own (IMP-17).
   */
  find(where: Readonly<Record<string, string>>): Promise<ForeignRow | null>
  /** The rows with one of these values in a unique column, by that value. */
  findAll(column: string, values: readonly string[]): Promise<ReadonlyMap<string, ForeignRow>>
  /** Deletes the rows with these values. Returns how many there were. */
  remove(where: Readonly<Record<string, string>>): Promise<number>
  /** At most `limit` rows after this key, in the order of the key. */
  page(after: string | null, limit: number): Promise<readonly ForeignRow[]>
  count(): Promise<number | null>
}

/** Where a table is, and what its columns hold. */
export interface TablePlace {
  readonly table: string
  /** The schema of PostgreSQL. Default: that of the connection. */
  readonly schema?: string | undefined
  /** The unique column by which `page` orders. */
  readonly key: string
  /** The columns that are dates: read them with {@link timeIn}. */
  readonly times?: Readonly<Record<string, TimeKind>>
}

/** A table in the database of the old system. Its names are checked: they become part of statements (ST-03). */
export function foreignTable(database: ForeignDatabase, place: TablePlace): ForeignTable {
  const queries = queriesOf(database)
  const { quote, rows, change } = queries
  const name = qualified(queries, place)
  const key = quote(requireName('key', place.key))
  const columns = ['source.*', ...Object.entries(place.times ?? {}).map(([column, kind]) => (
    `${timeExpression(queries, column, kind)} AS ${quote(`${requireName('times', column)}${MILLISECONDS}`)}`
  ))].join(', ')
  const matching = (where: Readonly<Record<string, string>>): string => (
    Object.keys(where).map(column => `${quote(requireName('column', column))} = ?`).join(' AND ')
  )
  const from = `FROM ${name} AS source`
  return {
    async find(where) {
      const found = await rows(`SELECT ${columns} ${from} WHERE ${matching(where)} LIMIT 1`, Object.values(where))
      return found.find(row => Object.entries(where).every(([column, value]) => isExactly(row[column], value))) ?? null
    },
    async findAll(column, values) {
      const distinct = [...new Set(values)]
      if (distinct.length === 0) return new Map()
      const unique = quote(requireName('column', column))
      const found = await rows(`SELECT ${columns} ${from} WHERE ${unique} IN (${placeholdersFor(distinct)})`, distinct)
      return new Map(found.map(row => [textIn(row, column) ?? '', row]))
    },
    remove: where => change(`DELETE FROM ${name} WHERE ${matching(where)}`, Object.values(where)),
    page: (after, limit) => rows(
      `SELECT ${columns} ${from} WHERE ${key} > ? ORDER BY ${key} LIMIT ${limit}`, [after ?? '']),
    count: async () => numberIn((await rows(`SELECT COUNT(*) AS number ${from}`, []))[0] ?? {}, 'number'),
  }
}

/** Whether a column has this text. A column of bytes has it in UTF-8. */
function isExactly(value: unknown, text: string): boolean {
  return value instanceof Uint8Array ? new TextDecoder().decode(value) === text : String(value) === text
}

/** The name of a table in statements. */
export function qualified({ quote }: Queries, { table, schema }: Pick<TablePlace, 'table' | 'schema'>): string {
  const name = quote(requireName('table', table))
  return schema === undefined ? name : `${quote(requireName('schema', schema))}.${name}`
}

/** What is appended to the name of a column for its time in milliseconds. */
const MILLISECONDS = '__ms'

/** The time in milliseconds. Drivers would read a date in the zone of this process; the database knows better. */
function timeExpression({ dialect, quote }: Queries, column: string, kind: TimeKind): string {
  const name = `source.${quote(column)}`
  switch (dialect) {
    case 'postgres': {
      const instant = kind === 'utc' ? `${name} AT TIME ZONE 'UTC'` : `${name}::timestamptz`
      return `floor(extract(epoch FROM ${instant}) * 1000)::bigint::text`
    }
    case 'mysql':
      return kind === 'utc'
        ? `TIMESTAMPDIFF(MICROSECOND, '1970-01-01', ${name}) DIV 1000`
        : `FLOOR(UNIX_TIMESTAMP(${name}) * 1000)`
    case 'sqlite':
      return name
  }
}

/** Reads a date of {@link TablePlace.times}, in milliseconds; null if it is none. */
export function timeIn(row: ForeignRow, column: string): EpochMilliseconds | null {
  return timeOf(row[`${column}${MILLISECONDS}`])
}

/**
 * A time that was written as milliseconds, as a date, or as text: ISO 8601, or SQL's form. Text without a zone is UTC.
 * Null for anything else.
 */
export function timeOf(value: unknown): EpochMilliseconds | null {
  if (value instanceof Date) return finite(value.getTime())
  if (typeof value === 'number') return finite(value)
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'string' || value === '') return null
  if (/^-?\d+(?:\.\d+)?$/.test(value)) return finite(Number(value))
  const text = value.replace(' ', 'T').replace(/([+-]\d\d)$/,
    (offset, hours: string, at: number) => at > 10 ? `${hours}:00` : offset)
  const hasZone = /(?:Z|[+-]\d\d:?\d\d)$/i.test(text)
  return finite(Date.parse(hasZone || !text.includes('T') ? text : `${text}Z`))
}

/** Reads a number; null if it is none. */
export function numberIn(row: ForeignRow, column: string): number | null {
  const value = row[column]
  if (typeof value === 'number') return finite(value)
  if (typeof value === 'bigint') return Number(value)
  return typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : null
}

/** Reads a text; ids that are numbers become text. Null if it is neither. */
export function textIn(row: ForeignRow, column: string): string | null {
  const value = row[column]
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : null
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
