import { GeneralError } from '../../base/errors.ts'
import type { SessionRecord } from '../../session/record.ts'
import type { Reauthentication, Rotation } from '../../session/store.ts'
import { batch } from '../batch.ts'
import type { Batched } from '../batch.ts'
import { rotateAll } from '../sql/rotate-all.ts'
import {
  expectedNames, expectedValues, keptColumns, nextColumns, nextValues, reauthenticatedColumns, reauthenticatedValues,
  rotatedSessionFromRow, rotationCondition,
} from '../sql/session-row.ts'
import { durably, lazily } from './change-log.ts'
import type { Database } from './database.ts'
import { refusedStatement } from './errors.ts'
import type { PostgresNames } from './names.ts'

const texts: ReadonlySet<string> = new Set([
  'handle', 'refresh_hash', 'anchor_hash', 'refresh_key_id', 'ip', 'user_agent',
])

/** The type of a value that a rotation expects or sets. Numbers of every size are assigned from `bigint`. */
function typeOf(name: string): 'text' | 'bigint' {
  return texts.has(name) ? 'text' : 'bigint'
}

/** Sets columns of one session, if it is as a rotation expects. */
function settingOne(table: string, columns: readonly string[], synchronicity: string): string {
  const parameter = (index: number): string => `$${index + 1}`
  const value = (column: string): string => parameter(expectedNames.length + columns.indexOf(column))
  const expected = (name: typeof expectedNames[number]): string => (
    `${parameter(expectedNames.indexOf(name))}::${typeOf(name)}`
  )
  return `UPDATE ${table} SET ${columns.map(column => `${column} = ${value(column)}`).join(', ')},
       expires_at = least(${value('rotated_at')} + idle_timeout, absolute_expiry)
     WHERE handle = $1 AND ${rotationCondition('', expected)}
     RETURNING ${keptColumns.join(', ')}, ${synchronicity}`
}

/** Replaces token and anchor of a session, durably. */
export function createReauthenticate(
  database: Database,
  names: PostgresNames,
): (reauthentication: Reauthentication) => Promise<SessionRecord | null> {
  const reauthenticate = database.statement(settingOne(names.session, reauthenticatedColumns, durably))
  return async reauthentication => {
    const [row] = await reauthenticate(...expectedValues(reauthentication), ...reauthenticatedValues(reauthentication))
    return row === undefined ? null : rotatedSessionFromRow(reauthentication, row)
  }
}

/**
 * Rotates sessions, without waiting for the disk. Rotations of one tick of the event loop share a statement, but not
 * their outcome. Repeatable, because a token always has the same child. If the first attempt was executed and its
 * answer lost, the second attempt finds another hash; the caller then reads the record and returns the same child.
 */
export function createRotate(
  database: Database,
  names: PostgresNames,
): Batched<Rotation, SessionRecord | null> {
  const table = names.session
  const rotate = database.statement(settingOne(table, nextColumns, lazily), { repeatable: true })
  const expected = (name: typeof expectedNames[number]): string => member(expectedNames.indexOf(name))
  const value = (column: string): string => member(expectedNames.length + nextColumns.indexOf(column))
  // Does not wait for locks: while it waited, it would hold the locks of the other sessions.
  const rotateTogether = database.statement(
    `WITH next AS (
       SELECT * FROM json_to_recordset($1::text::json) AS next (
         ${[...expectedNames, ...nextColumns].map((name, index) => `${member(index)} ${typeOf(name)}`).join(', ')})
     ),
     locked AS (
       SELECT handle FROM ${table} WHERE handle = ANY (ARRAY (SELECT ${expected('handle')} FROM next))
         AND ${lazily} IS NOT NULL
       FOR UPDATE SKIP LOCKED
     )
     UPDATE ${table} AS kept SET ${nextColumns.map(column => `${column} = next.${value(column)}`).join(', ')},
       expires_at = least(next.${value('rotated_at')} + kept.idle_timeout, kept.absolute_expiry)
     FROM next
     WHERE kept.handle = ANY (ARRAY (SELECT handle FROM locked)) AND kept.handle = next.${expected('handle')}
       AND ${rotationCondition('kept.', name => `next.${expected(name)}`)}
     RETURNING ${['handle', ...keptColumns].map(column => `kept.${column}`).join(', ')}`, { repeatable: true })

  async function one(rotation: Rotation): Promise<SessionRecord | null> {
    const [row] = await rotate(...expectedValues(rotation), ...nextValues(rotation.next))
    return row === undefined ? null : rotatedSessionFromRow(rotation, row)
  }

  return batch(one, async rotations => {
    try {
      return await rotateAll(rotations, firsts => rotateTogether(JSON.stringify(firsts.map(memberOf))), one)
    } catch (error) {
      // A refused statement has written nothing. Each rotation then runs alone, so that only the cause fails.
      if (error instanceof GeneralError && refusedStatement(error.cause)) return rotations.map(one)
      throw error
    }
  })
}

/** The names of a rotation's values in the JSON of a batch: short, because each rotation repeats them. */
function member(index: number): string {
  return `v${index}`
}

function memberOf(rotation: Rotation): Readonly<Record<string, unknown>> {
  const members: Record<string, unknown> = {}
  const values = [...expectedValues(rotation), ...nextValues(rotation.next)]
  // A value that is left out is null.
  for (const [index, value] of values.entries()) if (value !== null) members[member(index)] = value
  return members
}
