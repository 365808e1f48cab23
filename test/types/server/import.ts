// Importers of keyturn/import, and one of an application's own.
import { createSessions } from 'keyturn'
import type { ImportRefusal, SessionEvents } from 'keyturn'
import {
  betterSqlite3Sessions, checkImport, connectPgSimpleSessions, connectRedisSessions, expressMysqlSessions,
  fromAuthJsDatabase,
  fromAuthJsTokens, fromBetterAuth, fromDjango, fromExpressSession, fromIronSession, fromSuperTokens, importedHandleOf,
  importSessions,
} from 'keyturn/import'
import type {
  AuthJsSessionsOptions, AuthJsTokensOptions, BetterAuthOptions, CheckExample, CheckImportOptions, CheckReason,
  CheckState,
  DeadReason, DjangoSessionsOptions, ExpressRecord, ExpressRecords, ExpressSessionsOptions, FindLogin, ForeignCookie,
  ForeignCredential, ForeignDatabase, ForeignLogin, ForeignPage, ForeignRedis, ForeignRow, ForeignVerdict,
  ImportingApplication,
  ImportMode, ImportOptions, ImportPlan, ImportRequest, ImportSetup, IronSessionsOptions, LiveForeignSession,
  MysqlQueries,
  PostgresQueries, ScannedSession, SecondaryStorage, SessionImporter, SessionImports, SqliteQueries, SuperTokensOptions,
} from 'keyturn/import'
import { Redis } from 'ioredis'
import { createPool } from 'mysql2/promise'
import { Pool } from 'pg'
import { createClient } from 'redis'
import { typeOf } from '../expect.ts'
import type { Equal, Expect } from '../expect.ts'

const [postgres, mysql] = [new Pool(), createPool({})]
const secret = 'the secret of the old application'

/** The drivers of applications fit. */
const importers: readonly SessionImporter[] = [
  fromExpressSession({ secret: [secret], sessions: connectRedisSessions(new Redis()) }),
  fromExpressSession({ secret, sessions: connectRedisSessions(createClient(), { prefix: 'sess:' }) }),
  fromExpressSession({ secret, sessions: connectPgSimpleSessions(postgres, { tableName: 'session' }) }),
  fromExpressSession({
    secret,
    sessions: expressMysqlSessions(mysql),
    login: ({ userId }) => ({ userId: String(userId) }),
  }),
  fromSuperTokens({ database: postgres }),
  fromSuperTokens({ database: mysql, appId: 'shop' }),
  fromBetterAuth({ secret, database: postgres }),
  fromAuthJsTokens({ secret }),
  fromAuthJsDatabase({ database: mysql }),
  fromIronSession({ password: { 1: secret }, cookieName: 'app' }),
  fromDjango({ secretKey: secret, database: postgres }),
]

const imports = importSessions({
  importers,
  until: '2027-01-31',
  mode: 'retire',
  select: ({ userId }) => userId !== '',
})
void createSessions({ origin: 'https://app.example.com', imports })
typeOf(checkImport(imports)).is<Promise<CheckState>>()
typeOf(importedHandleOf('supertokens', 'public public handle')).is<Promise<string>>()
void betterSqlite3Sessions

export type Setup = [
  Expect<Equal<ImportMode, 'keep' | 'retire'>>,
  Expect<Equal<ReturnType<typeof importSessions>, ImportSetup>>,
  Expect<Equal<Parameters<typeof importSessions>, [options: ImportOptions]>>,
  Expect<Equal<ImportSetup['plan'], ImportPlan>>,
  Expect<ImportSetup extends SessionImports ? true : false>,
  Expect<Equal<Parameters<typeof checkImport>, [setup: ImportSetup, options?: CheckImportOptions | undefined]>>,
  Expect<Equal<CheckState['examples'], readonly CheckExample[]>>,
  Expect<Equal<CheckReason, DeadReason | 'anonymous' | 'reused' | 'not-selected' | 'unwritable'>>,
]
export type Events = [
  Expect<Equal<Parameters<NonNullable<SessionEvents['onImportRefused']>>[0] extends ImportRefusal ? true : false,
  true>>,
  Expect<Equal<ImportRefusal, {
    readonly source: string
    readonly reason: 'invalid' | 'reused' | 'revoked' | 'ended' | 'replayed' | 'unwritable'
    readonly handle: string | null
  }>>,
]
export type Importers = [
  Expect<Equal<Parameters<typeof fromAuthJsTokens>, [options: AuthJsTokensOptions]>>,
  Expect<Equal<Parameters<typeof fromAuthJsDatabase>, [options: AuthJsSessionsOptions]>>,
  Expect<Equal<Parameters<typeof fromBetterAuth>, [options: BetterAuthOptions]>>,
  Expect<Equal<Exclude<BetterAuthOptions['secondaryStorage'], undefined>, SecondaryStorage>>,
  Expect<Equal<Parameters<typeof fromDjango>, [options: DjangoSessionsOptions]>>,
  Expect<Equal<Parameters<typeof fromExpressSession>, [options: ExpressSessionsOptions]>>,
  Expect<Equal<ExpressSessionsOptions['sessions'], ExpressRecords>>,
  Expect<Equal<Awaited<ReturnType<ExpressRecords['find']>>, ExpressRecord | null>>,
  Expect<Equal<Exclude<ExpressSessionsOptions['login'], undefined>, FindLogin>>,
  Expect<Equal<Awaited<ReturnType<FindLogin>>, ForeignLogin | null>>,
  Expect<Equal<Parameters<typeof fromIronSession>, [options: IronSessionsOptions]>>,
  Expect<Equal<Parameters<typeof fromSuperTokens>, [options: SuperTokensOptions]>>,
  Expect<Equal<ForeignDatabase, PostgresQueries | MysqlQueries | SqliteQueries>>,
  Expect<Equal<ForeignRow, Readonly<Record<string, unknown>>>>,
  Expect<Equal<Parameters<typeof connectRedisSessions>[0], ForeignRedis>>,
]
export type Handles = [
  Expect<Equal<
    Parameters<typeof importedHandleOf>, [source: string, key: string, application?: ImportingApplication | undefined]
  >>,
  Expect<Equal<ImportingApplication, {
    readonly application?: string
    readonly audience?: string
    readonly mode?: 'cookie' | 'header'
  }>>,
]
export type Port = [
  Expect<Equal<Awaited<ReturnType<SessionImporter['read']>>, ForeignCredential | null>>,
  Expect<Equal<ReturnType<SessionImporter['clearings']>, readonly ForeignCookie[]>>,
  Expect<Equal<ForeignPage, { readonly sessions: readonly ScannedSession[]; readonly next: string | null }>>,
  Expect<Equal<Extract<ForeignVerdict, { readonly kind: 'alive' }>, LiveForeignSession>>,
]

/** An importer of an application's own; what `read` finds is what the others get. */
export const own: SessionImporter<{ readonly token: string }> = {
  source: 'own',
  at: 'request',
  read(request: ImportRequest) {
    const [token] = request.cookies('token')
    return token === undefined ? null : { key: token, mode: 'cookie', state: { token } }
  },
  judge: async ({ state: { token } }): Promise<ForeignVerdict> => (
    token === '' ? { kind: 'dead', reason: 'missing' }
      : { kind: 'alive', userId: token, issuedAt: null, authenticatedAt: null, persistent: true }
  ),
  clearings: () => [{ name: 'token' }],
}
void importSessions({ importers: [own], until: new Date() })
// @ts-expect-error: an end is required
void importSessions({ importers: [own] })
// @ts-expect-error: no such mode
void importSessions({ importers: [own], until: '2027-01-31', mode: 'move' })
