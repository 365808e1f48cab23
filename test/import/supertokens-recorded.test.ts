// Sessions that real SuperTokens cores have made on PostgreSQL, and what each core answered to their refresh tokens.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { checkImport, fromSuperTokens, importSessions } from '../../src/import/index.ts'
import type { ForeignVerdict, ImportRequest } from '../../src/import/index.ts'
import { oldTables } from '../support/old-supertokens.ts'

/** What a core said about a refresh token. */
interface RecordedCase {
  readonly name: string
  readonly token: string
  readonly antiCsrf: string | null
  readonly core: 'OK' | 'UNAUTHORISED' | 'TOKEN_THEFT_DETECTED'
  readonly userId: string | null
}

/** The tables of a core before it was asked, and its answers. */
interface Recording {
  readonly core: string
  readonly recordedAt: number
  readonly cases: readonly RecordedCase[]
  readonly tables: Readonly<Record<string, readonly Readonly<Record<string, string | number | boolean | null>>[]>>
}

const folder = join(import.meta.dirname, 'recorded')
const recordings: readonly Recording[] = readdirSync(folder).map(file => JSON.parse(readFileSync(join(folder, file), 'utf8')))

function restore({ tables }: Recording): DatabaseSync {
  const database = new DatabaseSync(':memory:')
  for (const statement of oldTables('', false)) database.exec(statement)
  for (const [table, rows] of Object.entries(tables)) {
    for (const row of rows) {
      const columns = Object.keys(row)
      database.prepare(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`)
        .run(...Object.values(row).map(value => typeof value === 'boolean' ? Number(value) : value))
    }
  }
  return database
}

function requestWith({ token, antiCsrf }: RecordedCase): ImportRequest {
  return { cookies: name => name === 'sRefreshToken' ? [token] : [], bearer: null, antiCsrf }
}

/** What the importer must say where the core gave an answer. */
function expectedKind({ core }: RecordedCase): ForeignVerdict['kind'] {
  if (core === 'OK') return 'alive'
  return core === 'UNAUTHORISED' ? 'dead' : 'reused'
}

test('there are recordings of three versions', () => {
  expect(recordings.map(({ core }) => core).toSorted()).toEqual(['10.1.8', '11.0.8', '9.3.4'])
})

describe.each(recordings)('IMP-03: sessions of core $core', recording => {
  test.each(recording.cases)('$name: as the core says', async each => {
    const importer = fromSuperTokens({ database: restore(recording), clock: () => recording.recordedAt })
    const credential = await importer.read(requestWith(each))
    const verdict = credential === null ? { kind: 'dead' } as const : await importer.judge(credential)
    expect(verdict.kind).toBe(expectedKind(each))
    if (verdict.kind !== 'alive') return
    expect(verdict).toMatchObject({ userId: each.userId, jwtPayload: { role: 'admin' }, sessionInfo: { note: 'n' } })
    expect(verdict.authenticatedAt).toBeLessThanOrEqual(recording.recordedAt)
    expect(verdict.authenticatedAt).toBeGreaterThan(recording.recordedAt - 60_000)
  })

  test('the check counts them', async () => {
    const importer = fromSuperTokens({ database: restore(recording), clock: () => recording.recordedAt })
    const check = await checkImport(importSessions({ importers: [importer], until: '2027-01-01' }))
    expect([check.read, check.alive, check.reasons]).toEqual([14, 13, { expired: 1 }])
  })
})
