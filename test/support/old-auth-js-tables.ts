import { importOld, importOldFile } from './old-systems.ts'

/** The tables that the documentation of @auth/pg-adapter asks for. */
export const pgAdapterTables: string = `
  CREATE TABLE verification_token (
    identifier TEXT NOT NULL, expires TIMESTAMPTZ NOT NULL, token TEXT NOT NULL, PRIMARY KEY (identifier, token));
  CREATE TABLE accounts (
    id SERIAL PRIMARY KEY, "userId" INTEGER NOT NULL, type VARCHAR(255) NOT NULL, provider VARCHAR(255) NOT NULL,
    "providerAccountId" VARCHAR(255) NOT NULL, refresh_token TEXT, access_token TEXT, expires_at BIGINT, id_token TEXT,
    scope TEXT, session_state TEXT, token_type TEXT);
  CREATE TABLE sessions (
    id SERIAL PRIMARY KEY, "userId" INTEGER NOT NULL, expires TIMESTAMPTZ NOT NULL, "sessionToken" VARCHAR(255) NOT NULL);
  CREATE TABLE users (
    id SERIAL PRIMARY KEY, name VARCHAR(255), email VARCHAR(255), "emailVerified" TIMESTAMPTZ, image TEXT)`

interface DrizzleColumn {
  readonly name: string
  readonly notNull: boolean
  readonly primary: boolean
  getSQLType(): string
}

type Dialect = 'pg' | 'mysql' | 'sqlite'

/** Makes the tables that @auth/drizzle-adapter defines by itself, with the types of its columns. */
export async function createDrizzleTables(dialect: Dialect, run: (statement: string) => Promise<unknown>): Promise<void> {
  const { defineTables } = await importOldFile<{ defineTables(): Readonly<Record<string, unknown>> }>(
    `@auth/drizzle-adapter/lib/${dialect}.js`)
  await createTables(dialect, Object.values(defineTables()), run)
}

/** Makes tables that are defined with Drizzle. */
export async function createTables(
  dialect: Dialect,
  tables: readonly unknown[],
  run: (statement: string) => Promise<unknown>,
): Promise<void> {
  const core = await importOld<{ getTableConfig(table: unknown): { name: string; columns: readonly DrizzleColumn[] } }>(
    `drizzle-orm/${dialect}-core`)
  const quote = (name: string): string => dialect === 'mysql' ? `\`${name}\`` : `"${name}"`
  for (const table of tables) {
    const { name, columns } = core.getTableConfig(table)
    const defined = columns.map(column => (
      `${quote(column.name)} ${column.getSQLType()}${column.primary ? ' PRIMARY KEY' : ''}${column.notNull ? ' NOT NULL' : ' NULL'}`
    ))
    await run(`DROP TABLE IF EXISTS ${quote(name)}`)
    await run(`CREATE TABLE ${quote(name)} (${defined.join(', ')})`)
  }
}
