import { GeneralError } from '../../base/errors.ts'
import type { SessionRecord } from '../../session/record.ts'
import type { Rotation } from '../../session/store.ts'
import { gather } from '../gather.ts'
import type { Gathered } from '../gather.ts'
import { rotateAll } from '../sql/rotate-all.ts'
import { expectedValues, keptColumns, nextColumns, nextValues, rotatedSessionOf } from '../sql/session-row.ts'
import { lazily } from './change-log.ts'
import type { Database } from './database.ts'
import { refusedStatement } from './errors.ts'
import type { PostgresNames } from './names.ts'

/** Of which type the columns of a rotation are, where not a number. */
const types: Readonly<Record<string, string>> = { refresh_hash: 'text', ip: 'text', user_agent: 'text' }

/**
 * Rotates sessions, without waiting for the disk. Those of one turn of the event loop share a statement, but not their
 * outcome. Repeatable, because the child of a token is always the same: if the first attempt was done and its answer
 * lost, the second one finds another hash, and the core reads the record and gives out the same child.
 */
export function createRotate(
  database: Database,
  names: PostgresNames,
): Gathered<Rotation, SessionRecord | null> {
  const table = names.session
  const rotate = database.statement(
    `UPDATE ${table} SET ${nextColumns.map((column, index) => `${column} = $${6 + index}`).join(', ')},
       expires_at = least($${6 + nextColumns.indexOf('rotated_at')} + idle_timeout, absolute_expiry)
     WHERE handle = $1 AND refresh_hash = $2 AND expires_at > $3 AND rotated_at > $4 AND created_at > $5
     RETURNING ${keptColumns.join(', ')}, ${lazily}`, { repeatable: true })
  // Waits for no lock: while it waited it would hold those of the other sessions.
  const rotateTogether = database.statement(
    `WITH next AS (
       SELECT * FROM json_to_recordset($1::json) AS next (
         handle text, expected text, now bigint, rotated_after bigint, created_after bigint,
         ${nextColumns.map(column => `${column} ${types[column] ?? 'bigint'}`).join(', ')})
     ),
     locked AS (
       SELECT handle FROM ${table} WHERE handle = ANY (ARRAY (SELECT handle FROM next)) AND ${lazily} IS NOT NULL
       FOR UPDATE SKIP LOCKED
     )
     UPDATE ${table} AS kept SET ${nextColumns.map(column => `${column} = next.${column}`).join(', ')},
       expires_at = least(next.rotated_at + kept.idle_timeout, kept.absolute_expiry)
     FROM next
     WHERE kept.handle = ANY (ARRAY (SELECT handle FROM locked)) AND kept.handle = next.handle
       AND kept.refresh_hash = next.expected AND kept.expires_at > next.now AND kept.rotated_at > next.rotated_after
       AND kept.created_at > next.created_after
     RETURNING ${['handle', ...keptColumns].map(column => `kept.${column}`).join(', ')}`, { repeatable: true })

  async function one(rotation: Rotation): Promise<SessionRecord | null> {
    const [row] = await rotate(...expectedValues(rotation), ...nextValues(rotation.next))
    return row === undefined ? null : rotatedSessionOf(rotation, row)
  }

  return gather(one, async rotations => {
    try {
      return await rotateAll(rotations, firsts => rotateTogether(JSON.stringify(firsts.map(memberOf))), one)
    } catch (error) {
      // A statement that is refused has written nothing; by itself, each rotation shows whether it is the one.
      if (error instanceof GeneralError && refusedStatement(error.cause)) return rotations.map(one)
      throw error
    }
  })
}

const members: readonly string[] = ['handle', 'expected', 'now', 'rotated_after', 'created_after', ...nextColumns]

function memberOf(rotation: Rotation): Readonly<Record<string, unknown>> {
  const values = [...expectedValues(rotation), ...nextValues(rotation.next)]
  return Object.fromEntries(members.map((member, index) => [member, values[index]]))
}
