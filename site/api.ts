// Writes the reference of every export into docs/api, from the doc comments: npm run docs calls it. Every warning of
// TypeDoc is a failure: an exported name without a doc comment, a type that a signature names and no entry exports.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Application, Converter, LogLevel, ReflectionKind, type Context, type Reflection } from 'typedoc'

const root = join(import.meta.dirname, '..')
const folder = join(root, 'docs/api')

const { exports: entries }: { exports: Readonly<Record<string, string>> } =
  JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/**
 * Types that describe the part of another package's objects that Keyturn uses: that package documents their members.
 * And records of a store's calls, whose members are the words of their own comments.
 */
const described: ReadonlySet<string> = new Set([
  'PostgresClient', 'PostgresPool', 'PostgresResult', 'PostgresStatement', 'MysqlPool', 'MysqlConnection',
  'IoredisClient', 'IoredisCluster', 'NodeRedisClient', 'NodeRedisCluster', 'SqliteDatabase', 'SqliteStatement',
  'OpenTelemetry', 'OtelContext', 'OtelSpan', 'OtelTracer', 'SocketIoSocket', 'WsServer', 'WsSocket', 'TrpcSocket',
  'TrpcTarget', 'NextCookieStore', 'MessageBody', 'WebBody',
  'D1Database', 'D1Statement', 'D1Result', 'LibsqlClient', 'LibsqlStatement', 'LibsqlResult', 'DurableObjectNamespace',
  'DurableObjectId', 'DurableObjectStub', 'DurableObjectState', 'NeonSql', 'PgClient', 'PgliteDatabase', 'PostgresJsSql',
  'PostgresJsTransaction', 'ReservedSql', 'ReservingSql', 'PostgresQueries', 'MysqlQueries', 'SqliteQueries',
  'SecondaryStorage',
  'ActiveBounds', 'ChangePage', 'Confirmation', 'InfoUpdate', 'PayloadUpdate', 'PayloadUpdated', 'PresentedState',
  'Reauthentication', 'RemovalPage', 'RemovedPage', 'Rotation', 'SessionPage', 'UserRemoval', 'AppClaims', 'AppInfo',
])

/**
 * Types that no application needs to name: what the compiler derives the types of data from, the arguments of one
 * framework's handlers, ports whose implementations are Keyturn's own, and what the importers of Keyturn pass from
 * `read` to their other methods.
 */
const unnamed: readonly string[] = [
  'NewSessionOfUser', 'NewSessionArguments', 'DataMember', 'PayloadInput', 'SchemaMark', 'DataOf', 'Storable',
  'UpdateOfPayload', 'SignInArguments', 'units', 'Rule', 'PolicyOptions', 'HttpOptions',
  'ExpressTarget', 'FastifyTarget', 'H3Target', 'HonoTarget', 'KoaTarget', 'NestTarget', 'WebTarget', 'NodeTarget',
  'SvelteKitTarget', 'HttpPolicy', 'RenderSession', 'Crypto', 'Exchanges', 'SessionClient', 'EnvironmentVariables',
  'LineagePlace', 'StandardResult', 'eventKinds', 'NodeRedisSender', 'IoredisReply', 'SqlValue', 'ControlledSessions', 'OpenConsole',
  'ImportConnector', 'ConnectedImports', 'ImportFlows', 'CoreParts', 'ApplicationIdentity', 'TokenStyle', 'TokenClaims',
  'BetterAuthToken', 'OpenedToken', 'Seal',
]

/** The entries of the package: the specifier and the source of each. */
const sources = Object.entries(entries).filter(([, file]) => file.endsWith('.js')).map(([path, file]) => ({
  specifier: `keyturn${path.slice(1)}`,
  source: join(root, file.replace('./dist/', 'src/').replace(/\.js$/, '.ts')),
}))

const app = await Application.bootstrapWithPlugins({
  entryPoints: sources.map(({ source }) => source),
  tsconfig: join(import.meta.dirname, 'tsconfig.api.json'),
  plugin: ['typedoc-plugin-markdown'],
  out: folder,
  readme: 'none',
  name: 'Every export',
  disableSources: true,
  excludeInternal: true,
  excludePrivate: true,
  excludeProtected: true,
  sort: ['kind', 'alphabetical'],
  validation: { notExported: true, notDocumented: true, invalidLink: true },
  requiredToBeDocumented: [
    'Class', 'Interface', 'Function', 'Method', 'Property', 'Accessor', 'TypeAlias', 'Variable', 'EnumMember', 'Enum',
  ],
  intentionallyNotExported: [...unnamed],
  logLevel: LogLevel.Warn,
})
app.options.setValue('entryFileName', 'index.md')
app.options.setValue('hidePageHeader', true)
app.options.setValue('hideBreadcrumbs', true)
app.options.setValue('useCodeBlocks', true)
app.options.setValue('expandParameters', true)
app.options.setValue('outputFileStrategy', 'modules')
app.options.setValue('useHTMLAnchors', true)

app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context: Context) => {
  for (const reflection of context.project.getReflectionsByKind(ReflectionKind.Module)) {
    const file = context.project.getSymbolIdFromReflection(reflection)?.fileName
    const found = sources.find(({ source }) => source === file)
    if (found !== undefined) reflection.name = found.specifier
  }
})

const project = await app.convert()
if (project === undefined) process.exit(1)
// A member of an object type within another type is described by that type.
const isDescribed = (reflection: Reflection): boolean => (
  described.has(reflection.name) || reflection.name === '__type'
  || (reflection.parent !== undefined && isDescribed(reflection.parent))
)
const members = [
  ReflectionKind.Property, ReflectionKind.Accessor, ReflectionKind.CallSignature, ReflectionKind.ConstructorSignature,
]
const isInParameter = ({ parent }: Reflection): boolean => (
  parent !== undefined && (parent.kindOf(ReflectionKind.Parameter) || isInParameter(parent))
)
const isMember = (reflection: Reflection): boolean => (
  reflection.kindOf(members) && !reflection.hasComment() && !isInParameter(reflection)
  && (reflection.name !== '__type' || reflection.kindOf(ReflectionKind.ConstructorSignature))
)
const exempt = Object.values(project.reflections)
  .filter(reflection => isMember(reflection) && isDescribed(reflection))
  .map(reflection => reflection.getFriendlyFullName())
app.options.setValue('intentionallyNotDocumented', [...new Set(exempt)])
app.validate(project)
rmSync(folder, { recursive: true, force: true })
await app.generateOutputs(project)
const items = sources.map(({ specifier }) => ({ text: specifier, link: `/api/${specifier}` }))
writeFileSync(join(folder, 'sidebar.json'), JSON.stringify(items))
const { warningCount, errorCount } = app.logger
console.log(`TypeDoc: ${sources.length} entries, ${errorCount} errors, ${warningCount} warnings`)
if (errorCount + warningCount > 0) process.exit(1)
