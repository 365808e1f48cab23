// For applications that take over the live sessions of another system (docs/import.md).

export { importSessions } from './import-sessions.ts'
export type { ImportSetup } from './import-sessions.ts'
export type { ImportMode, ImportOptions, ImportPlan } from './plan.ts'
export { importedHandleOf } from './imported-handle.ts'
export type { ImportingApplication } from './imported-handle.ts'
export { checkImport } from './check.ts'
export type { CheckExample, CheckImportOptions, CheckReason, CheckState } from './check.ts'

// The importers.
export { fromAuthJsDatabase, fromAuthJsTokens } from './auth-js.ts'
export type { AuthJsSessionsOptions, AuthJsTokensOptions } from './auth-js.ts'
export { fromBetterAuth } from './better-auth.ts'
export type { BetterAuthOptions, SecondaryStorage } from './better-auth.ts'
export { fromDjango } from './django.ts'
export type { DjangoSessionsOptions } from './django.ts'
export { fromExpressSession } from './express-session.ts'
export type { ExpressSessionsOptions } from './express-session.ts'
export {
  betterSqlite3Sessions, connectPgSimpleSessions, connectRedisSessions, expressMysqlSessions,
} from './express-records.ts'
export type { ExpressRecord, ExpressRecords } from './express-records.ts'
export { fromIronSession } from './iron-session.ts'
export type { IronSessionsOptions } from './iron-session.ts'
export { fromSuperTokens } from './supertokens.ts'
export type { SuperTokensOptions } from './supertokens.ts'
export type { ForeignDatabase, ForeignRow, MysqlQueries, PostgresQueries, SqliteQueries } from './data/database.ts'
export type { ForeignRedis } from './data/redis.ts'
export type { FindLogin, ForeignLogin } from './login.ts'

// The port, for an importer of your own.
export type {
  DeadReason, ForeignCookie, ForeignCredential, ForeignPage, ForeignVerdict, ImportRequest, LiveForeignSession,
  ScannedSession, SessionImporter,
} from '../session/importer.ts'
export type { SessionImports } from '../transport/imports.ts'
