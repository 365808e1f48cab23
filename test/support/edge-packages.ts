import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import type { D1Database } from '../../src/stores/d1.ts'
import type { LibsqlClient } from '../../src/stores/libsql.ts'
import type { NeonSql } from '../../src/stores/postgres.ts'
import { TestPackages } from './install-packages.ts'

const packages = new TestPackages('edge')
const load = createRequire(import.meta.url)

/** The options of a worker in Miniflare. */
export interface MiniflareWorker {
  readonly name: string
  /** Its script. Of a script that is not listed here, Miniflare refuses imports of what is computed. */
  readonly modules: readonly { readonly type: 'ESModule'; readonly path: string }[]
  readonly modulesRoot: string
  readonly compatibilityDate: string
  readonly compatibilityFlags?: readonly string[]
  readonly bindings?: Readonly<Record<string, string>>
  readonly d1Databases?: Readonly<Record<string, string>>
  readonly durableObjects?: Readonly<Record<string, { readonly className: string; readonly useSQLite: true }>>
  readonly hyperdrives?: Readonly<Record<string, string>>
  readonly unsafeDirectSockets: readonly { readonly host: string; readonly port: number }[]
}

/** Cloudflare's emulator. */
export interface Miniflare {
  unsafeGetDirectURL(worker: string): Promise<URL>
  getD1Database(binding: string, worker: string): Promise<D1Database>
  dispose(): Promise<void>
}

/** Whether the packages are installed. Without them, their tests skip themselves, and fail if `CI=true`. */
export function hasEdgePackages(): boolean {
  return packages.find('miniflare', 'miniflare') !== null
}

/** Starts workers in Miniflare. */
export async function createMiniflare(workers: readonly MiniflareWorker[]): Promise<Miniflare> {
  const { Miniflare }: { Miniflare: new (options: { workers: readonly MiniflareWorker[] }) => Miniflare } =
    load(pathOf('miniflare'))
  return new Miniflare({ workers })
}

/** A client of `@libsql/client`. */
export async function createLibsqlClient(url: string): Promise<LibsqlClient & { close(): void }> {
  const { createClient }: { createClient(options: object): LibsqlClient & { close(): void } } =
    await import(pathToFileURL(pathOf('@libsql/client/lib-esm/node.js')).href)
  return createClient({ url, concurrency: Infinity })
}

/** The part of a database of the package `libsql` that a stand-in for its server needs. */
export interface LibsqlDatabase {
  prepare(sql: string): {
    raw(enabled: boolean): unknown
    safeIntegers(enabled: boolean): unknown
    columns(): readonly { readonly name: string }[]
    all(...values: readonly unknown[]): readonly (readonly (string | number | bigint | null)[])[]
    run(...values: readonly unknown[]): { readonly changes: number }
  }
  close(): void
}

/** Opens a database of the package `libsql`, the engine of Turso and of `sqld`. */
export function openLibsql(file: string): LibsqlDatabase {
  const Database: new (file: string) => LibsqlDatabase = load(pathOf('libsql'))
  return new Database(file)
}

/** `neon(url)` of `@neondatabase/serverless`, which sends its requests to `endpoint`. */
export async function createNeon(url: string, endpoint: string): Promise<NeonSql> {
  const { neon, neonConfig }: { neon(url: string): NeonSql; neonConfig: { fetchEndpoint: unknown } } =
    await import(pathToFileURL(pathOf('@neondatabase/serverless/index.mjs')).href)
  neonConfig.fetchEndpoint = () => endpoint
  return neon(url)
}

/** The folder of an installed package. */
export function edgePackage(name: string): string {
  return pathOf(name)
}

/** Installs the packages of test/edge/package-lock.json, unless they are installed. For `globalSetup`. */
export default function install(): void {
  packages.install('Miniflare, and the drivers of libSQL and Neon')
}

function pathOf(path: string): string {
  const found = packages.find('the packages of serverless databases', path)
  if (found === null) throw new Error('the packages of serverless databases are not installed')
  return found
}
