import type { ChangePage } from '../../session/store.ts'
import { decodeCursor } from '../change-cursor.ts'
import { changeColumns, changePageOf } from '../sql/change-row.ts'
import { readTextOrNull } from '../sql/row.ts'
import type { Database } from './database.ts'
import type { PostgresNames } from './names.ts'

/**
 * Makes the commit wait for the disk, and for a synchronous standby, even if the database's default is not to wait: for
 * writes that must not be undone once they are acknowledged.
 */
export const durably = `(SELECT CASE current_setting('synchronous_commit')
  WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END)`

/**
 * Lets the commit not wait for the disk: a crash of the server may undo the newest of these writes. It is part of the
 * statement, so that it costs no round trip and applies to one transaction only, also behind a pooler.
 */
export const lazily = `(SELECT set_config('synchronous_commit', 'off', true))`

/**
 * A condition that always holds. Hyperdrive, which answers repeated queries from a cache by default, does not keep the
 * answer of a query with a function that is not constant: for reads that must know of every write before them.
 */
export const uncached = 'clock_timestamp() IS NOT NULL'

/** A change, as SQL expressions over the rows of the source. */
export interface ChangeExpressions {
  readonly kind: 'revoked' | 'payload' | 'keys'
  readonly handles: string
  readonly version: string
  readonly until: string
  /** The parameter that holds a new entry id. */
  readonly entry: string
}

/**
 * The parts of a WITH clause that append a change if `source`, an earlier part, has a row; it must have one at most.
 * The number comes from a row that stays locked until the commit is visible: a reader that sees an entry sees all
 * entries before it. (A sequence would assign numbers in another order than that of the commits, and readers would
 * skip some.)
 */
export function appendChange(names: PostgresNames, source: string, change: ChangeExpressions): string {
  return `
    head AS (
      INSERT INTO ${names.meta} AS log (name, value, number) SELECT 'log', ${change.entry}::text, 1 FROM ${source}
      ON CONFLICT (name) DO UPDATE SET value = excluded.value, number = log.number + 1 RETURNING number
    ),
    logged AS (
      INSERT INTO ${names.change} (seq, entry, ${changeColumns.join(', ')})
      SELECT number, ${change.entry}::text, '${change.kind}', ${change.handles}, ${change.version},
        ${change.until}::bigint
      FROM head, ${source}
      RETURNING pg_notify('${names.channel}', '')
    )`
}

/** Reads the change log. */
export interface ChangeReader {
  changesSince(cursor: string | null, limit: number): Promise<ChangePage>
  /** The name of the newest entry, which is different after each change. It may also differ after the cleanup. */
  readHead(): Promise<string>
}

/**
 * Prepares the statements. A cursor holds number and name of the entry it points to. If the log no longer has this
 * entry, and the head row does not name it either, reading starts from the beginning: the log was emptied or restored,
 * a standby without the entry took over, or the entry was pruned in due time. To read an entry twice is harmless; to
 * skip one is not.
 *
 * The head row is only read if the cursor's entry is not in the log. Each change makes a new version of that row, and
 * while any transaction on the server is old, a look at it passes over all of them.
 */
export function createChangeReader(database: Database, names: PostgresNames): ChangeReader {
  const columns = ['seq', 'entry', ...changeColumns].map(column => `page.${column}`).join(', ')
  const own = `FROM ${names.change} WHERE seq = $1 AND entry = $2`
  const read = database.statement(
    `SELECT head.number AS head, head.name AS head_entry, ${columns}
     FROM (
       SELECT seq AS number, entry AS name ${own}
       UNION ALL
       SELECT number, value FROM ${names.meta} AS log WHERE name = 'log' AND NOT EXISTS (SELECT ${own})
     ) AS head
     LEFT JOIN LATERAL (
       SELECT * FROM ${names.change} AS later
       WHERE later.seq > CASE WHEN head.number = $1 AND head.name = $2 THEN $1::bigint ELSE 0 END
       ORDER BY later.seq LIMIT $3::bigint
     ) AS page ON true
     WHERE ${uncached}
     ORDER BY page.seq`, { repeatable: true })
  // Where the log is not empty, this does not read the head row either.
  const head = database.statement(
    `SELECT coalesce(
       (SELECT entry FROM ${names.change} ORDER BY seq DESC LIMIT 1),
       (SELECT value FROM ${names.meta} WHERE name = 'log')
     ) AS entry WHERE ${uncached}`, { repeatable: true })

  return {
    async changesSince(cursor, limit) {
      const place = decodeCursor(cursor)
      return changePageOf(await read(place?.sequence ?? 0, place?.id ?? '', limit + 1), limit)
    },
    async readHead() {
      return readTextOrNull((await head())[0] ?? { entry: null }, 'entry') ?? ''
    },
  }
}
