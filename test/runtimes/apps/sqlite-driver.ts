import type { SqliteDatabase } from '../../../src/stores/sqlite.ts'

/**
 * How the runtime's own SQLite opens a file. The name is a parameter, so that the compiler and the other runtimes do
 * not look for the module.
 */
export async function sqliteDriver(name = 'node:sqlite'): Promise<(file: string) => SqliteDatabase> {
  const module: { Database: new (file: string) => SqliteDatabase; DatabaseSync: new (file: string) => SqliteDatabase } =
    await import(name)
  return file => name === 'bun:sqlite' ? new module.Database(file) : new module.DatabaseSync(file)
}
