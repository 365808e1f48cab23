import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, expect, test } from 'vitest'
import { createSqliteStore } from '../../../src/stores/sqlite.ts'
import { eventColumns, eventValues } from '../../../src/stores/sql/event-row.ts'
import { claimColumns, claimValues } from '../../../src/stores/sql/import-claim-row.ts'
import { sessionColumns, sessionValues } from '../../../src/stores/sql/session-row.ts'
import { claimNumber, eventNumber, hotCalls, keptUntilNumber, MANY, sessionNumber } from '../../support/hot-calls.ts'

const counters = '/proc/self/io'
const directory = mkdtempSync(join(tmpdir(), 'keyturn-pages-'))
afterAll(() => rmSync(directory, { recursive: true }))

/**
 * The bytes that this process has read with system calls. SQLite counts nothing that a driver would tell; but with a
 * cache of one page, it reads every page that it looks at.
 */
function bytesRead(): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync(counters, 'utf8'))?.[1])
}

/** A row is on a page of its table and on one of each of four indexes, below pages of a few levels. */
const PAGES_OF_ROW = 16
const PAGES_OF_CALL = 40
const PAGE = 4096

const counting = test.skipIf(!existsSync(counters))

counting('no call reads more pages for 50,000 rows in a table than for those it is about', async () => {
  const file = join(directory, 'many.db')
  const [durable, fast] = [new DatabaseSync(file), new DatabaseSync(file)]
  const store = createSqliteStore(durable, { fast })
  const columns = [...sessionColumns, 'sweep_at']
  const insert = durable.prepare(
    `INSERT INTO keyturn_session (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`)
  const change = durable.prepare(
    'INSERT INTO keyturn_change (kind, handles, version, until) VALUES (\'keys\', \'[]\', 0, ?)')
  const notBefore = durable.prepare('INSERT INTO keyturn_not_before (name, time, until) VALUES (?, 1, ?)')
  const event = durable.prepare(
    `INSERT INTO keyturn_event (${eventColumns.join(', ')}) VALUES (${eventColumns.map(() => '?').join(', ')})`)
  const claim = durable.prepare(
    `INSERT INTO keyturn_import_claim (${claimColumns.join(', ')}) VALUES (${claimColumns.map(() => '?').join(', ')})`)
  durable.exec('BEGIN')
  for (let number = 0; number < MANY; number++) {
    const record = sessionNumber(number)
    insert.run(...sessionValues(record), record.expiresAt)
    change.run(keptUntilNumber(number))
    notBefore.run(`user old-${number}`, keptUntilNumber(number))
    event.run(...eventValues(eventNumber(number)))
    claim.run(...claimValues(claimNumber(number)))
  }
  durable.exec('COMMIT')
  for (const database of [durable, fast]) database.exec('PRAGMA wal_checkpoint(TRUNCATE); PRAGMA cache_size = 1')

  for (const { name, rows, of } of hotCalls) {
    const call = await of(store)
    const before = bytesRead()
    await call()
    const pages = Math.round((bytesRead() - before) / PAGE)
    expect.soft(pages, `${name} reads ${pages} pages`).toBeLessThanOrEqual(PAGES_OF_ROW * rows + PAGES_OF_CALL)
  }
  const before = bytesRead()
  fast.prepare('SELECT count(*) FROM keyturn_session WHERE ip = \'\'').all()
  expect((bytesRead() - before) / PAGE, 'a scan is seen').toBeGreaterThan(1500)
  await store.close()
  for (const database of [durable, fast]) database.close()
})
