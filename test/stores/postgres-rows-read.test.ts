import { expect, describe, inject, test } from 'vitest'
import { eventColumns, eventValues } from '../../src/stores/sql/event-row.ts'
import { claimColumns, claimValues } from '../../src/stores/sql/import-claim-row.ts'
import { sessionColumns, sessionValues } from '../../src/stores/sql/session-row.ts'
import { createPostgresStore } from '../../src/stores/postgres.ts'
import { createPostgresDatabase } from '../support/servers/postgres.ts'
import { claimNumber, eventNumber, hotCalls, keptUntilNumber, MANY, sessionNumber } from '../support/hot-calls.ts'
import { freshStore, opened, openPool } from '../support/postgres-pools.ts'

const server = inject('postgresUrl')
const numbers = Array.from({ length: MANY }, (_, number) => number)

/** A call may read a row, or its index entry, once for each part of its statement. */
const TIMES = 3

describe.skipIf(server === null)('PostgreSQL', () => {
  test('no call reads more rows for 50,000 in a table than for those that it is about', async () => {
    const url = await createPostgresDatabase(server ?? '', 'rows_read')
    const { schema, pool: admin } = await freshStore(url)
    const records = numbers.map(number => [...sessionValues(sessionNumber(number)), sessionNumber(number).expiresAt])
    await admin.query(
      `INSERT INTO ${schema}.keyturn_session (${[...sessionColumns, 'sweep_at'].join(', ')})
       SELECT ${[...sessionColumns, 'sweep_at'].join(', ')}
       FROM json_populate_recordset(NULL::${schema}.keyturn_session, $1)`,
      [JSON.stringify(records.map(values => Object.fromEntries(
        [...sessionColumns, 'sweep_at'].map((column, index) => [column, values[index]]))))])
    const kept = numbers.map(keptUntilNumber)
    await admin.query(
      `INSERT INTO ${schema}.keyturn_change SELECT number, 'x', 'keys', '[]', 0, until
       FROM unnest($1::bigint[]) WITH ORDINALITY AS given (until, number)`, [kept])
    await admin.query(
      `INSERT INTO ${schema}.keyturn_not_before SELECT 'user old-' || number, 1, until
       FROM unnest($1::bigint[]) WITH ORDINALITY AS given (until, number)`, [kept])
    const events = numbers.map(number => eventValues(eventNumber(number)))
    await admin.query(
      `INSERT INTO ${schema}.keyturn_event (${eventColumns.join(', ')})
       SELECT ${eventColumns.join(', ')} FROM json_populate_recordset(NULL::${schema}.keyturn_event, $1)`,
      [JSON.stringify(
        events.map(values => Object.fromEntries(eventColumns.map((column, index) => [column, values[index]]))),
      )],
    )
    const claims = numbers.map(number => claimValues(claimNumber(number)))
    await admin.query(
      `INSERT INTO ${schema}.keyturn_import_claim (${claimColumns.join(', ')})
       SELECT ${claimColumns.join(', ')} FROM json_populate_recordset(NULL::${schema}.keyturn_import_claim, $1)`,
      [JSON.stringify(
        claims.map(values => Object.fromEntries(claimColumns.map((column, index) => [column, values[index]]))),
      )],
    )
    await admin.query(`INSERT INTO ${schema}.keyturn_meta VALUES ('log', 'x', ${MANY})`)
    await admin.query('VACUUM ANALYZE')

    // The only connection of the store, so that its own counts can be sent on before they are read.
    const pool = openPool(url, 1)
    const store = opened(createPostgresStore(pool, { schema }))
    const rowsRead = async (): Promise<number> => {
      await pool.query('SELECT pg_stat_force_next_flush()')
      const { rows: [row] } = await admin.query(
        `SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE schemaname = $1)
           + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE schemaname = $1) AS rows`, [schema])
      return Number(row?.rows)
    }
    await store.find(sessionNumber(1).handle)
    for (const { name, rows, of } of hotCalls) {
      const call = await of(store)
      const before = await rowsRead()
      await call()
      const read = await rowsRead() - before
      expect.soft(read, `${name} reads ${read} rows and index entries`).toBeLessThanOrEqual(TIMES * rows + TIMES)
    }
  })
})
