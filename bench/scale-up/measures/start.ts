import { postgresNames } from '../../../src/stores/postgres/names.ts'
import { startPostgresBackend } from '../backends.ts'
import type { PostgresBackend } from '../backends.ts'
import { startChild } from '../child-process.ts'
import type { Started } from '../children/starter.ts'
import { openStore } from '../open-store.ts'
import { changeExpressions } from '../rows.ts'
import { createApplication } from '../sessions.ts'
import { below, shown } from '../statistics.ts'
import type { Promised } from '../statistics.ts'

const LOGS = [1000, 100_000, 1_000_000]

/** Starts a process beside change logs of several lengths, on PostgreSQL (P-12). */
export async function measureStart(): Promise<readonly Promised[]> {
  const backend = await startPostgresBackend()
  try {
    const rows: Promised[] = []
    for (const entries of LOGS) {
      const data = `log${entries}`
      await (await backend.open(data)).close()
      await loadLog(backend, data, entries)
      // The first process adds the keys.
      const application = createApplication(openStore('postgres', backend.place, data), { pollInterval: 3600 })
      const token = await application.login('user')
      await application.close()
      await backend.settle()
      const child = startChild<object, Started>('starter', [backend.place, data, token])
      const { answered, ready, longestStop, pages } = await child.next()
      child.stop()
      rows.push(
        below(`${entries.toLocaleString('en')} entries: until the first verification is answered`, 500, answered, 'ms'),
        below('... longest stop of the event loop', 50, longestStop, 'ms'),
        shown('... until the log is read', ready, 'ms'),
        shown('... pages', pages, ''),
      )
    }
    return rows
  } finally {
    await backend.stop()
  }
}

/** Fills the change log with revocations, and sets its head. */
async function loadLog({ client }: PostgresBackend, data: string, entries: number): Promise<void> {
  const { change, meta } = postgresNames({ prefix: `${data}_` })
  const { columns, values } = changeExpressions('\'["c\' || substr(md5(n::text), 1, 21) || \'A"]\'')
  await client.query(`INSERT INTO ${change} (seq, entry, ${columns})
    SELECT n, md5(n::text), ${values} FROM generate_series(1, ${entries}) AS n`)
  await client.query(`INSERT INTO ${meta} (name, value, number) VALUES ('log', md5('${entries}'), ${entries})
    ON CONFLICT (name) DO UPDATE SET value = excluded.value, number = excluded.number`)
}
