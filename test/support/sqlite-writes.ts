import type { DatabaseSync } from 'node:sqlite'
import { expect } from 'vitest'
import type { SessionStore } from '../../src/session/store.ts'
import type { SqliteDatabase } from '../../src/stores/sqlite.ts'
import {
  minute, sampleEvent, sampleHandle, sampleKey, sampleNow, sampleReauthentication, sampleRecord, sampleRotation,
  sampleUserRemoval,
} from '../../src/testing/samples.ts'

/** What the calls of {@link writes} find. */
export async function fill(store: SessionStore): Promise<void> {
  for (let number = 1; number <= 9; number++) {
    await store.insert(sampleRecord({ handle: sampleHandle(number), userId: `user-${number}` }))
  }
  await store.addKeyIfNewest(sampleKey('first'), null)
}

const removedNow = { time: sampleNow, until: sampleNow + minute }
const late = { now: sampleNow, from: sampleNow, expectedVersion: null }
/** Each method that writes, what it returns, and whether that is right. */
export const writes: readonly (readonly [string, (store: SessionStore) => Promise<unknown>, unknown])[] = [
  ['insert', store => store.insert(sampleRecord({ handle: sampleHandle(20) })), true],
  ['rotate', store => store.rotate(sampleRotation()), expect.objectContaining({ refreshHash: 'hash-1' })],
  ['reauthenticate', store => store.reauthenticate(sampleReauthentication(sampleRecord({ handle: sampleHandle(2) }))),
    expect.objectContaining({ handle: sampleHandle(2) })],
  ['confirm', store => store.confirm([{ handle: sampleHandle(3), generation: 0, branch: 0 }]), undefined],
  ['updateInfo', store => store.updateInfo({ ...late, handle: sampleHandle(4), sessionInfo: '{}' }), true],
  ['updatePayload', store => store.updatePayload({ ...late, handle: sampleHandle(4), jwtPayload: '{}' }),
    expect.objectContaining({ version: 1 })],
  ['remove', store => store.remove([sampleHandle(5)], sampleNow),
    expect.objectContaining({ handles: [sampleHandle(5)] })],
  ['removeByUser', store => store.removeByUser(sampleUserRemoval({ userId: 'user-7' })),
    expect.objectContaining({ handles: [sampleHandle(7)] })],
  ['acquireLease', store => store.acquireLease('task', 'holder', sampleNow, sampleNow + minute), true],
  ['appendEvent', store => store.appendEvent(sampleEvent(1)), undefined],
  ['addKeyIfNewest', store => store.addKeyIfNewest(sampleKey('second'), 'first'), true],
  ['replaceKeyMaterial', store => store.replaceKeyMaterial('first', sampleKey('first').material, 'new'), true],
  ['removeKey', store => store.removeKey('first', sampleNow), true],
  ['removeExpired', store => store.removeExpired(sampleNow + 400 * minute, 100),
    expect.objectContaining({ more: false })],
  ['removeAll', store => store.removeAll({ notBefore: removedNow, limit: 100, after: null }),
    expect.objectContaining({ next: null })],
]

/** The database, and what it runs. The callback may throw. */
export function observed(database: DatabaseSync, run: (sql: string) => void): SqliteDatabase {
  return {
    exec: sql => database.exec(sql),
    prepare(sql) {
      const statement = database.prepare(sql)
      return {
        all(...values) {
          run(sql)
          return statement.all(...values)
        },
        run(...values) {
          run(sql)
          return statement.run(...values)
        },
      }
    },
    close: () => database.close(),
  }
}
