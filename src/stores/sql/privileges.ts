import type { TableNames } from './table-names.ts'

/** A privilege on a table: `INSERT`. */
export type Privilege = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE'

/** The privileges that the statements of a SQL store need, by table. */
export const neededPrivileges: Readonly<Record<keyof TableNames, readonly Privilege[]>> = {
  session: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  change: ['SELECT', 'INSERT', 'DELETE'],
  key: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  turn: ['SELECT', 'INSERT', 'UPDATE'],
  notBefore: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  event: ['SELECT', 'INSERT', 'DELETE'],
  importClaim: ['SELECT', 'INSERT', 'DELETE'],
  meta: ['SELECT', 'INSERT', 'UPDATE'],
}

/** Each table and privilege of {@link neededPrivileges}. */
export function listPrivileges(
  names: TableNames,
  needed: Readonly<Record<keyof TableNames, readonly Privilege[]>> = neededPrivileges,
): readonly (readonly [table: string, privilege: Privilege])[] {
  const { session, change, key, turn, notBefore, event, importClaim, meta } = needed
  const tables = [
    [names.session, session], [names.change, change], [names.key, key], [names.turn, turn],
    [names.notBefore, notBefore], [names.event, event], [names.importClaim, importClaim], [names.meta, meta],
  ] as const
  return tables.flatMap(([table, privileges]) => privileges.map(privilege => [table, privilege] as const))
}
