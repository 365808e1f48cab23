import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { PgliteDatabase, PostgresJsSql } from '../../src/stores/postgres.ts'
import type { SqliteDatabase } from '../../src/stores/sqlite.ts'
import { TestPackages } from './install-packages.ts'

// The packages have prebuilt programs. Some npm versions would compile them all the same.
const packages = new TestPackages('drivers', ['--ignore-scripts'])
const load = createRequire(import.meta.url)

/** An open database of better-sqlite3. */
export interface BetterSqlite3Database extends SqliteDatabase {
  defaultSafeIntegers(): void
  pragma(sql: string, options: { readonly simple: true }): unknown
}

/** PGlite, PostgreSQL in this process, behind a socket. */
export interface PgliteServer {
  readonly url: string
  close(): Promise<void>
}

interface Closable {
  close(): Promise<void>
}

interface PgliteModule {
  readonly PGlite: { create(): Promise<PgliteDatabase & Closable> }
}

interface PgliteSocketModule {
  readonly PGLiteSocketServer: new (options: {
    readonly db: Closable
    readonly host: string
    readonly port: number
    readonly maxConnections: number
  }) => { start(): Promise<void>; stop(): Promise<void> }
}

/** Whether the drivers are installed. Without them, their tests skip themselves, and fail if `CI=true`. */
export function hasDrivers(): boolean {
  return packages.find('the database drivers', 'better-sqlite3') !== null
}

/** Opens a file with better-sqlite3. */
export function openBetterSqlite3(file: string): BetterSqlite3Database {
  const Database: new (file: string) => BetterSqlite3Database = load(pathOf('better-sqlite3'))
  return new Database(file)
}

/** A client of postgres.js. */
export interface PostgresJs extends PostgresJsSql {
  end(options?: { readonly timeout: number }): Promise<void>
}

/** A client of postgres.js, which connects at its first query. */
export function openPostgresJs(url: string, options: Readonly<Record<string, unknown>> = {}): PostgresJs {
  const postgres: (url: string, options: Readonly<Record<string, unknown>>) => PostgresJs =
    load(pathOf('postgres/cjs/src/index.js'))
  return postgres(url, options)
}

/** The folder with the packages of the drivers, for programs that are bundled with one. */
export function driverPackages(): string {
  return join(pathOf('postgres'), '..')
}

/** A database of PGlite in this process. */
export async function openPglite(): Promise<PgliteDatabase & Closable> {
  const { PGlite }: PgliteModule = await importFile('@electric-sql/pglite/dist/index.js')
  return PGlite.create()
}

/** Starts PGlite behind its socket server. */
export async function startPglite(port: number): Promise<PgliteServer> {
  const { PGlite }: PgliteModule = await importFile('@electric-sql/pglite/dist/index.js')
  const { PGLiteSocketServer }: PgliteSocketModule = await importFile('@electric-sql/pglite-socket/dist/index.js')
  const db = await PGlite.create()
  const server = new PGLiteSocketServer({ db, host: '127.0.0.1', port, maxConnections: 100 })
  await server.start()
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    async close() {
      await server.stop()
      await db.close()
    },
  }
}

/** Installs the drivers of test/drivers/package-lock.json, unless they are installed. For `globalSetup`. */
export default function install(): void {
  packages.install('better-sqlite3, PGlite and postgres.js')
}

function importFile<Module>(path: string): Promise<Module> {
  return import(pathToFileURL(pathOf(path)).href)
}

function pathOf(path: string): string {
  const found = packages.find('the database drivers', path)
  if (found === null) throw new Error('the database drivers are not installed')
  return found
}
