// Generates docs/configuration.md from the rules that validate options at run time and the doc comments of their types,
// and reports where the two differ: npm run reference
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inWords } from '../src/base/duration.ts'
import { grouped } from '../src/base/options.ts'
import type { Rule } from '../src/base/options.ts'
import { clientRules } from '../src/client/options.ts'
import { createSessionsRules } from '../src/create-sessions.ts'
import * as adapters from '../src/frameworks/options.ts'
import { authJsDatabaseRules, authJsTokenRules } from '../src/import/auth-js.ts'
import { betterAuthRules } from '../src/import/better-auth.ts'
import { checkImportRules } from '../src/import/check.ts'
import { djangoRules } from '../src/import/django.ts'
import { expressSessionRules } from '../src/import/express-session.ts'
import { ironSessionRules } from '../src/import/iron-session.ts'
import { importRules } from '../src/import/plan.ts'
import { superTokensRules } from '../src/import/supertokens.ts'
import { limitRules, partRules } from '../src/server/parts.ts'
import { settingDescriptions } from '../src/server/settings.ts'
import { listRules, revokeRules, tenantRules } from '../src/session/create-core.ts'
import { readyRules } from '../src/session/ready-options.ts'
import { eventRules } from '../src/session/events.ts'
import * as asyncSqlite from '../src/stores/async-sqlite/options.ts'
import * as mysql from '../src/stores/mysql/options.ts'
import { poolPerCallRules } from '../src/stores/postgres/adapters.ts'
import * as postgres from '../src/stores/postgres/options.ts'
import * as redis from '../src/stores/redis/options.ts'
import { openStoreRules } from '../src/stores/registry.ts'
import * as sqlite from '../src/stores/sqlite/options.ts'
import { signInRules } from '../src/testing/sign-in.ts'
import { consoleRules } from '../src/transport/console-port.ts'
import { corsRules } from '../src/transport/cors.ts'
import { cookieRules } from '../src/transport/cookie-config.ts'
import { getSessionRules, guardRules } from '../src/transport/get-session-options.ts'
import { createNewSessionRules } from '../src/transport/start-session.ts'
import { verifierRules } from '../src/verifier-options.ts'
import { asMarkdown } from './doc-comment.ts'

const root = join(import.meta.dirname, '..')
/** The path of the reference. */
export const referencePath: string = join(root, 'docs/configuration.md')

/** The members of a rule that the reference needs; the browser client's rules have only these. */
type Described = Pick<Rule<unknown>, 'expected'> & Partial<Omit<Rule<unknown>, 'expected' | 'isValid'>>

/** The options of one function. */
interface Section {
  readonly title: string
  readonly from: string
  readonly rules: Readonly<Record<PropertyKey, Described>>
  /** The interfaces that declare the options, as `file: Name`. */
  readonly types: readonly string[]
  /** A prefix for each name, if the section is an object among other options. */
  readonly prefix?: string
  /** The default of options whose doc comment states none. */
  readonly otherwise?: string
}

const sections: readonly Section[] = [
  {
    title: 'createSessions(options)', from: 'keyturn', rules: createSessionsRules,
    types: [
      'create-sessions.ts: CreateSessionsOptions', 'session/policy.ts: PolicyOptions',
      'transport/http-policy.ts: HttpOptions',
    ],
  },
  {
    title: 'createSessions({ cookie })', from: 'keyturn', rules: cookieRules, prefix: 'cookie.',
    types: ['transport/cookie-config.ts: CookieOptions'],
  },
  {
    title: 'createSessions({ events })', from: 'keyturn', rules: eventRules, prefix: 'events.',
    otherwise: 'not called',
    types: ['session/events.ts: SessionEventMap', 'session/events.ts: SessionEvents'],
  },
  {
    title: 'createNewSession(request, response, userId, jwtPayload, sessionInfo, options)', from: 'every adapter',
    rules: createNewSessionRules,
    types: ['transport/start-session.ts: CreateNewSessionOptions', 'session/core.ts: NewSessionOptions'],
  },
  {
    title: 'getSession(request, response, options), requireSession(options)', from: 'every adapter',
    rules: getSessionRules,
    types: [
      'transport/get-session-options.ts: GetOptionalSessionOptions',
      'transport/get-session-options.ts: GetSessionOptions',
    ],
  },
  {
    title: 'requireSession(options), besides those of getSession', from: 'every adapter',
    rules: guardRules, types: ['transport/get-session-options.ts: RequireSessionOptions'],
  },
  {
    title: 'cors(options)', from: 'every adapter', rules: corsRules, types: ['transport/cors.ts: CorsOptions'],
  },
  {
    title: 'console(options)', from: 'every adapter but those for Next.js and SvelteKit', rules: consoleRules,
    types: ['transport/console-port.ts: ConsoleOptions'],
  },
  {
    title: 'revokeAllSessionsForUser(userId, options)', from: 'keyturn', rules: revokeRules,
    types: ['session/core.ts: RevokeOptions', 'session/core.ts: TenantOptions'],
  },
  {
    title: 'getAllSessionHandlesForUser(userId, options), updateJwtPayloadForUser(userId, change, options)',
    from: 'keyturn', rules: tenantRules,
    types: ['session/core.ts: TenantOptions'],
  },
  {
    title: 'listSessions(userId, options)', from: 'keyturn', rules: listRules,
    types: ['session/core.ts: ListOptions', 'session/core.ts: TenantOptions'],
  },
  {
    title: 'ready(options)', from: 'keyturn and keyturn/verify', rules: readyRules,
    types: ['session/ready-options.ts: ReadyOptions'],
  },
  {
    title: 'createVerifier(options)', from: 'keyturn/verify', rules: verifierRules,
    types: ['verifier-options.ts: VerifierOptions'],
  },
  {
    title: 'openStoreByUrl(url, options)', from: 'keyturn/stores', rules: openStoreRules,
    types: ['stores/kind.ts: OpenStoreOptions', 'stores/kind.ts: StoreNaming'],
  },
  {
    title: 'openSqliteStore(file, options), printSqliteMigrations(options)', from: 'keyturn/stores/sqlite',
    rules: sqlite.sqliteRules, types: ['stores/sqlite.ts: SqliteStoreOptions'],
  },
  {
    title: 'createSqliteStore(database, options)', from: 'keyturn/stores/sqlite', rules: sqlite.sqliteDriverRules,
    types: ['stores/sqlite.ts: SqliteDriverOptions', 'stores/sqlite.ts: SqliteStoreOptions'],
  },
  {
    title: 'createPostgresStore(poolOrUrl, options)', from: 'keyturn/stores/postgres', rules: postgres.postgresRules,
    types: ['stores/postgres.ts: PostgresStoreOptions', 'stores/postgres/names.ts: PostgresNameOptions'],
  },
  {
    title: 'migratePostgres(poolOrUrl, options), printPostgresMigrations(options)', from: 'keyturn/stores/postgres',
    rules: postgres.postgresNameRules, types: ['stores/postgres/names.ts: PostgresNameOptions'],
  },
  {
    title: 'poolPerCall(open, options)', from: 'keyturn/stores/postgres', rules: poolPerCallRules,
    types: ['stores/postgres/adapters.ts: PoolPerCallOptions'],
  },
  {
    title: 'createMysqlStore(poolOrUrl, options)', from: 'keyturn/stores/mysql', rules: mysql.mysqlRules,
    types: ['stores/mysql.ts: MysqlStoreOptions', 'stores/mysql/names.ts: MysqlNameOptions'],
  },
  {
    title: 'migrateMysql(poolOrUrl, options), printMysqlMigrations(options)', from: 'keyturn/stores/mysql',
    rules: mysql.mysqlNameRules, types: ['stores/mysql/names.ts: MysqlNameOptions'],
  },
  {
    title: 'createRedisStore(clientOrUrl, options)', from: 'keyturn/stores/redis', rules: redis.redisRules,
    types: ['stores/redis.ts: RedisStoreOptions'],
  },
  {
    title: 'createD1Store(database, options)', from: 'keyturn/stores/d1', rules: asyncSqlite.asyncSqliteRules,
    types: ['stores/async-sqlite/options.ts: AsyncSqliteOptions', 'stores/async-sqlite/options.ts: AsyncSqliteNaming'],
  },
  {
    title: 'migrateD1(database, options), printD1Migrations(options), migrateLibsql(client, options)',
    from: 'keyturn/stores/d1 and keyturn/stores/libsql', rules: asyncSqlite.asyncSqliteNamingRules,
    types: ['stores/async-sqlite/options.ts: AsyncSqliteNaming'],
  },
  {
    title: 'createLibsqlStore(client, options)', from: 'keyturn/stores/libsql', rules: asyncSqlite.asyncSqliteRules,
    types: ['stores/async-sqlite/options.ts: AsyncSqliteOptions', 'stores/async-sqlite/options.ts: AsyncSqliteNaming'],
  },
  {
    title: 'createDurableObjectStore(namespace, options)', from: 'keyturn/stores/durable-object',
    rules: asyncSqlite.durableObjectRules, types: ['stores/durable-object.ts: DurableObjectStoreOptions'],
  },
  adapter('node', 'NodeOptions', adapters.nodeRules),
  adapter('express', 'ExpressOptions', adapters.expressRules),
  adapter('fastify', 'FastifyOptions', adapters.fastifyRules),
  adapter('koa', 'KoaOptions', adapters.koaRules),
  adapter('hono', 'HonoOptions', adapters.honoRules),
  adapter('h3', 'H3Options', adapters.h3Rules),
  adapter('web', 'WebOptions', adapters.webRules),
  adapter('nest', 'NestOptions', adapters.nestRules),
  adapter('next', 'NextOptions', adapters.nextRules, 'frameworks/web.ts: WebOptions'),
  adapter('sveltekit', 'SvelteKitOptions', adapters.svelteKitRules),
  adapter('trpc', 'TrpcOptions', adapters.trpcRules),
  adapter('ws', 'WsOptions', adapters.wsRules),
  adapter('socketio', 'SocketIoOptions', adapters.socketIoRules),
  {
    title: 'importSessions(options)', from: 'keyturn/import', rules: importRules,
    types: ['import/plan.ts: ImportOptions'],
  },
  {
    title: 'checkImport(setup, options)', from: 'keyturn/import', rules: checkImportRules,
    types: ['import/check.ts: CheckImportOptions'],
  },
  importer('fromAuthJsTokens', authJsTokenRules, 'import/auth-js.ts: AuthJsTokensOptions'),
  importer('fromAuthJsDatabase', authJsDatabaseRules, 'import/auth-js.ts: AuthJsSessionsOptions'),
  importer('fromBetterAuth', betterAuthRules, 'import/better-auth.ts: BetterAuthOptions'),
  importer('fromDjango', djangoRules, 'import/django.ts: DjangoSessionsOptions'),
  importer('fromExpressSession', expressSessionRules, 'import/express-session.ts: ExpressSessionsOptions'),
  importer('fromIronSession', ironSessionRules, 'import/iron-session.ts: IronSessionsOptions'),
  importer('fromSuperTokens', superTokensRules, 'import/supertokens.ts: SuperTokensOptions'),
  {
    title: 'createClient(options)', from: 'keyturn/client', rules: describedClientRules(),
    types: ['client/client.ts: ClientOptions'],
  },
  {
    title: 'createNativeClient(options)', from: 'keyturn/client/native',
    rules: {
      baseUrl: { expected: 'a URL', isRequired: true },
      storage: { expected: 'an object with getItem and setItem', isRequired: true },
      onWake: { expected: 'a function' },
    },
    types: ['client/native.ts: NativeClientOptions'],
  },
  {
    title: 'createDevices(client, options)', from: 'keyturn/client/parts',
    rules: { path: { expected: 'a path', isRequired: true } }, types: ['client/devices.ts: DevicesOptions'],
  },
  {
    title: 'startServer(settings, parts)', from: 'keyturn/server', rules: partRules, prefix: 'parts.',
    types: ['server/parts.ts: ServerParts'],
  },
  {
    title: 'startServer(settings, { limits })', from: 'keyturn/server', rules: limitRules, prefix: 'parts.limits.',
    types: ['server/http/listen.ts: HttpLimits'],
  },
  {
    title: 'signIn(sessions, userId, options)', from: 'keyturn/testing', rules: signInRules,
    types: ['testing/sign-in.ts: SignInOptions'],
  },
]

/** The client's rules are as short as they can be, because a browser loads them. */
function describedClientRules(): Section['rules'] {
  const accepted: Readonly<Record<string, string>> = {
    mode: '"cookie" or "header"', sessionExpiredStatusCode: 'a whole number from 400 to 499',
    baseUrl: 'a URL', basePath: 'a path', storage: 'an object with getItem and setItem',
  }
  return Object.fromEntries(Object.entries(clientRules).map(([name, rule]) => [
    name, { expected: accepted[name] ?? `a ${String(rule)}` },
  ]))
}

/** The section of an importer. */
function importer(name: string, rules: Section['rules'], ...types: readonly string[]): Section {
  return { title: `${name}(options)`, from: 'keyturn/import', rules, types }
}

function adapter(file: string, type: string, rules: Section['rules'], ...others: readonly string[]): Section {
  const name = `${type[0]?.toLowerCase()}${type.slice(1).replace('Options', 'Sessions')}`
  return {
    title: `${name}(sessions, options)`, from: `keyturn/frameworks/${file}`, rules,
    types: [`frameworks/${file}.ts: ${type}`, ...others],
  }
}

/** A doc comment in two parts: the meaning of an option, and its default. */
interface Comment {
  readonly meaning: string
  readonly defaultValue: string | null
}

/** The doc comments of an interface's members, by name; `[name]` for a member whose key is a symbol. */
function readComments(type: string): ReadonlyMap<string, Comment> {
  const [file = '', name = ''] = type.split(': ')
  const source = readFileSync(join(root, 'src', file), 'utf8')
  const [, body = ''] = new RegExp(`^export interface ${name}\\b[^{]*\\{\\n([^]*?)^\\}`, 'm').exec(source) ?? []
  if (body === '') throw new Error(`${file} has no interface ${name}`)
  const members = body.matchAll(/^(?: {2}\/\*\*((?:(?!\*\/)[^])*)\*\/\n)? {2}readonly (\w+|\[\w+\])\??:/gm)
  return new Map([...members].map(([, comment = '', member = '']) => {
    const words = comment.replaceAll(/^ *\*/gm, '').replaceAll(/\s+/g, ' ').trim()
    const [meaning = '', defaultValue = null] = words.split(' Default: ')
    return [member, { meaning, defaultValue: defaultValue === null ? null : defaultValue.replace(/\.$/, '') }]
  }))
}

function commentsOf({ types }: Section): ReadonlyMap<string, Comment> {
  return new Map(types.flatMap(type => [...readComments(type)]))
}

/** Options as they are written in code: `name` or `[symbol]`. */
function namesOf({ rules }: Section): readonly (readonly [name: string, rule: Described])[] {
  return Reflect.ownKeys(rules).map(key => {
    const rule = rules[key]
    if (rule === undefined) throw new Error(`no rule for ${String(key)}`)
    return [typeof key === 'symbol' ? `[${key.description?.split('.').at(-1)}]` : key, rule]
  })
}

/** Reports differences between doc comments and rules, each as one sentence. */
export function checkComments(): string[] {
  return sections.flatMap(section => {
    const comments = commentsOf(section)
    const known = namesOf(section)
    return [
      ...known.flatMap(([name, rule]) => compare(rule, comments.get(name), section.otherwise)
        .map(problem => `${section.title}: the doc comment of ${name} ${problem}`)),
      ...[...comments.keys()].filter(name => !known.some(([other]) => other === name))
        .map(name => `${section.title}: ${name} has no rule`),
    ]
  })
}

function compare(rule: Described, comment: Comment | undefined, otherwise?: string): string[] {
  if (comment === undefined || comment.meaning === '') return ['is missing']
  const isOpen = comment.defaultValue === null && otherwise === undefined
  const isDuration = rule.expected.startsWith('a duration ')
  const [bounds] = (isDuration ? /from .* to [^:]*(?=:)/ : /from [\d.,]+ to [\d.,]+/).exec(rule.expected) ?? []
  const [, unit] = /whole number of (\w+)/.exec(rule.expected) ?? []
  const defaultValue = rule.defaultValue === undefined ? '' : formatted(rule.defaultValue, isDuration)
  return [
    ...bounds === undefined || comment.meaning.includes(bounds) ? [] : [`does not say "${bounds}"`],
    ...unit === undefined || comment.meaning.includes(`in ${unit}`) ? [] : [`does not say "in ${unit}"`],
    ...isOpen === (rule.isRequired === true)
      ? [] : [isOpen ? 'does not end with "Default: ..."' : 'has a default, but the option is required'],
    ...comment.defaultValue === null || comment.defaultValue === defaultValue
      || comment.defaultValue.startsWith(defaultValue && `${defaultValue}, `)
      ? [] : [`does not say "Default: ${defaultValue}"`],
  ]
}

function formatted(defaultValue: unknown, isDuration: boolean): string {
  if (typeof defaultValue === 'number') return isDuration ? inWords(defaultValue) : grouped(defaultValue)
  return typeof defaultValue === 'string' ? `\`${defaultValue}\`` : String(defaultValue)
}

/** Exported interfaces of options that no section describes. */
export function findUndescribed(): string[] {
  const { exports: entries }: { exports: Readonly<Record<string, string>> } =
    JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const described = new Set(sections.flatMap(({ types }) => types.map(type => type.split(': ')[1])))
  const sources = Object.values(entries).filter(file => file.endsWith('.js'))
    .map(file => readFileSync(join(root, file.replace('./dist/', 'src/').replace(/\.js$/, '.ts')), 'utf8'))
  const names = sources.flatMap(source => [
    ...[...source.matchAll(/^export interface (\w+Options)\b/gm)].map(([, name = '']) => name),
    ...[...source.matchAll(/^export type \{([^}]*)\}/gm)].flatMap(([, list = '']) => list.match(/\w+Options\b/g) ?? []),
  ])
  // The object that `inMemory` returns consists of options of createSessions.
  return [...new Set(names)].filter(name => !described.has(name) && name !== 'InMemoryOptions')
}

/** Generates the reference. */
export function writeReference(): string {
  return `${[
    '# Configuration',
    '<!-- Written by scripts/configuration.ts from the rules that validate the options. Do not edit. -->',
    'Every option of every public function. A function validates its options when it is called: an unknown name, a '
      + 'wrong type or a value out of bounds throws a `GeneralError` with the code `MISUSE` (in the browser a '
      + '`TypeError`), whose message says what was received (never a secret) and what is accepted. A duration is a '
      + 'number of seconds, or a text with the unit ms, s, m, h or d; in TypeScript its type is `Duration`, so write '
      + '`as Duration` for one from the environment. An option may be `undefined`, which '
      + 'is the same as leaving it out. The options marked ¹ may not: without them Keyturn checks less, and a missing '
      + 'environment variable must not switch a check off.',
    ...sections.flatMap(writeSection),
    '## `startServer(settings)`',
    'From `keyturn/server`, as the file of `--config` and the flags of [`keyturn serve`](server.md#settings) have '
      + 'them. In the environment `--api-key` is `KEYTURN_API_KEY`, and so on.',
    table(['setting', 'flag', 'must be', 'default', 'meaning'], settingDescriptions.map(setting => [
      `\`${setting.name}\``,
      setting.isPositional ? `\`${setting.placeholder}\`, without a flag` : `\`--${setting.flag}\``,
      `${setting.isList ? 'list: ' : ''}${setting.expected}`,
      setting.defaultValue === '' ? '' : `\`${setting.defaultValue}\``, setting.help,
    ])),
  ].join('\n\n')}\n`
}

function writeSection(section: Section): string[] {
  const comments = commentsOf(section)
  const rows = namesOf(section).map(([name, rule]) => {
    const { meaning = '', defaultValue = null } = comments.get(name) ?? {}
    const otherwise = section.otherwise ?? '*required*'
    const shown = `\`${section.prefix ?? ''}${name}\`${rule.isExplicit ? ' ¹' : ''}`
    const expected = rule.expected.replaceAll('<', '\\<')
    return [shown, expected, defaultValue ?? otherwise, meaning].map(asMarkdown)
  })
  return [
    `## \`${section.title}\``,
    /^keyturn\S*$/.test(section.from) ? `From \`${section.from}\`.` : `From ${section.from}.`,
    table(['option', 'must be', 'default', 'meaning'], rows),
  ]
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

if (import.meta.main) {
  writeFileSync(referencePath, writeReference())
  const problems = [...checkComments(), ...findUndescribed().map(name => `${name} is in no section of the reference`)]
  for (const problem of problems) console.error(problem)
  process.exitCode = problems.length === 0 ? 0 : 1
}
