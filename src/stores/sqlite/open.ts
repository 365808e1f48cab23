import { closeSync, openSync } from 'node:fs'
import { GeneralError } from '../../base/errors.ts'
import type { SqliteDatabase } from './database.ts'

/**
 * Opens a file with the runtime's own SQLite, which is loaded here and not with this module.
 * @throws GeneralError (`MISUSE`) if the runtime has none.
 */
export function openDatabase(file: string, options: { readonly readOnly?: boolean } = {}): SqliteDatabase {
  const sqlite = process.getBuiltinModule('node:sqlite')
  if (sqlite === undefined) {
    throw new GeneralError('MISUSE',
      'this runtime has no node:sqlite (Node.js has it from 22.13 on); give another driver to createSqliteStore')
  }
  return new sqlite.DatabaseSync(file, options)
}

/**
 * Creates the file if there is none, readable by its owner alone. SQLite gives the `-wal` and `-shm` files the same
 * mode. A file that exists keeps its mode.
 */
export function createPrivateFile(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}
