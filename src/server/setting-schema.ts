import { TENANT_ID } from '../session/identifiers.ts'
import { acceptedUrls, findStoreKind, storeKinds } from '../stores/registry.ts'
import { readApiKeys } from './api-keys.ts'
import { readChoice, DAY, readDuration, each, readMatching, one, optional, InvalidSettingError, readWhole } from './setting-texts.ts'

/** How a server is set up. Times in seconds. */
export interface ServerSettings {
  /** The URL of the store. */
  readonly store: string
  /** What the names of its tables or keys begin with, those of further applications a little longer; null: `keyturn`. */
  readonly prefix: string | null
  /** The schema of its tables, where the store knows such; null: the connection's. */
  readonly schema: string | null
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** What all paths begin with. */
  readonly basePath: string
  /** Where callers reach the server, or null: as it listens. With `https:` answers carry HSTS. */
  readonly publicOrigin: string | null
  /** What access tokens of the native API name as their issuer; null: where callers reach the server. */
  readonly issuer: string | null
  /** Whom they are for, or null. Refresh tokens are bound to it as well. */
  readonly audience: string | null
  /** One of them must come with every request; without any, only this machine may ask. */
  readonly apiKeys: readonly string[]
  /** The first seals keys in the store, any opens them. */
  readonly secrets: readonly string[]
  readonly accessTokenValidity: number
  readonly refreshTokenValidity: number
  /** When a session ends however often it is refreshed, or null. */
  readonly sessionLifetime: number | null
  /** How long a used refresh token gives the same answer; null: 30 s, but at most a fifth of `accessTokenValidity`. */
  readonly reuseInterval: number | null
  /** How long a dynamic key signs before the next one does. */
  readonly keyRotationInterval: number
  readonly maxSessionsPerUser: number | null
  /** Applications besides `public`. */
  readonly apps: readonly string[]
  /** Tenants that are served besides `public`, or null for any. */
  readonly tenants: readonly string[] | null
  readonly migrate: 'auto' | 'manual'
  readonly maxBodyBytes: number
  readonly maxConnections: number
  readonly shutdownTimeout: number
  readonly logLevel: LogLevel
}

/** Which messages are written: those of this level and the graver ones. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** How one setting is given and read. */
export interface Setting<Value> {
  readonly flag: string
  readonly placeholder: string
  readonly help: string
  readonly preset: readonly string[]
  readonly isList?: boolean
  readonly isSecret?: boolean
  /** Whether a command line has it as a word of its own, without the flag. */
  readonly isPositional?: boolean
  /** Reads the texts of a value; those of the preset are not given. @throws InvalidSettingError that says what would do. */
  readonly read: (texts: readonly string[], isGiven: boolean) => Value
}

/** Every setting, by its name. */
export const schema: { readonly [Name in keyof ServerSettings]: Setting<ServerSettings[Name]> } = {
  store: {
    flag: 'store', placeholder: 'URL', preset: ['sqlite:keyturn.db'], isSecret: true, isPositional: true,
    help: `where sessions live: ${storeKinds.map(({ example }) => example).join(', ')}`,
    read: one(value => {
      if (findStoreKind(value) === null) throw new InvalidSettingError(acceptedUrls)
      return value
    }),
  },
  prefix: {
    flag: 'prefix', placeholder: 'TEXT', preset: [],
    help: `what the names of the tables or keys begin with, by default ${either(storeKinds.map(it => it.prefix.preset))}`,
    read: optional(value => value),
  },
  schema: {
    flag: 'schema', placeholder: 'NAME', preset: [],
    help: `the schema of the tables (${either(storeKinds.filter(it => it.schema !== null).map(it => it.title))})`,
    read: optional(value => value),
  },
  host: {
    flag: 'host', placeholder: 'ADDRESS', preset: ['127.0.0.1'],
    // An IPv6 address may come in the brackets that it has in a URL.
    help: 'the address to listen on', read: one(value => /^\[(.+)\]$/.exec(value)?.[1] ?? value),
  },
  port: {
    flag: 'port', placeholder: 'N', preset: ['3567'],
    help: 'the port to listen on; 0 takes a free one', read: one(readWhole(0, 65_535)),
  },
  basePath: {
    flag: 'base-path', placeholder: 'PATH', preset: [''], help: 'what all paths begin with: /core, say',
    read: one(readMatching(/^(\/[a-z0-9-]+)*$/, 'empty, or /words of a-z, 0-9 and - without a slash at the end')),
  },
  publicOrigin: {
    flag: 'public-origin', placeholder: 'ORIGIN', preset: [],
    help: 'where callers reach it behind a proxy; https://... makes answers carry HSTS',
    read: optional(readMatching(/^https?:\/\/[A-Za-z0-9.-]+(:\d{1,5})?$/, 'an origin like https://sessions.example.com')),
  },
  issuer: {
    flag: 'issuer', placeholder: 'URL', preset: [],
    help: 'what access tokens of the native API name as iss; by default where callers reach the server',
    read: optional(readMatching(
      /^https?:\/\/[^\s?#]*[^\s?#/]$/, 'a URL like https://app.example.com/auth, without a slash at the end')),
  },
  audience: {
    flag: 'audience', placeholder: 'TEXT', preset: [], help: 'whom access tokens of the native API are for, as aud',
    read: optional(readMatching(/^[^\s]{1,255}$/, 'a text of 1 to 255 characters without spaces')),
  },
  apiKeys: {
    flag: 'api-key', placeholder: 'KEY', preset: [], isList: true, isSecret: true,
    help: 'a key that requests must carry; needed on any address but this machine\'s own', read: readApiKeys,
  },
  secrets: {
    flag: 'secret', placeholder: 'TEXT', preset: [], isList: true, isSecret: true,
    help: 'encrypts the keys in the store; the first encrypts, all decrypt',
    read: each(readMatching(/^.{32,1024}$/, 'secrets of at least 32 characters')),
  },
  accessTokenValidity: {
    flag: 'access-token-validity', placeholder: 'TIME', preset: ['1h'],
    help: 'how long an access token lives', read: one(readDuration(1, DAY)),
  },
  refreshTokenValidity: {
    flag: 'refresh-token-validity', placeholder: 'TIME', preset: ['100d'],
    help: 'how long a session lives without a refresh', read: one(readDuration(1, 400 * DAY)),
  },
  sessionLifetime: {
    flag: 'session-lifetime', placeholder: 'TIME', preset: [],
    help: 'how long a session lives however often it is refreshed', read: optional(readDuration(1, 36_500 * DAY)),
  },
  reuseInterval: {
    flag: 'reuse-interval', placeholder: 'TIME', preset: [],
    help: 'how long a used refresh token gives the same answer: 30s, at most a fifth of an access token\'s life',
    read: optional(readDuration(0, DAY / 5)),
  },
  keyRotationInterval: {
    flag: 'key-rotation-interval', placeholder: 'TIME', preset: ['7d'],
    help: 'how long a signing key signs before the next one does', read: one(readDuration(3600, 365 * DAY)),
  },
  maxSessionsPerUser: {
    flag: 'max-sessions-per-user', placeholder: 'N', preset: [],
    help: 'a login beyond it ends the oldest session', read: optional(readWhole(1, 1000)),
  },
  apps: {
    flag: 'app', placeholder: 'ID', preset: [], isList: true,
    help: 'serves another application, under /appid-ID, with tables or keys of its own',
    read: each(readMatching(/^(?!public$)[a-z0-9-]{1,20}$/, 'ids of 1 to 20 characters a-z, 0-9 and -')),
  },
  tenants: {
    flag: 'tenant', placeholder: 'ID', preset: [], isList: true, help: 'serves only these tenants; by default any',
    read: (texts, isGiven) => isGiven ? each(readMatching(TENANT_ID, 'ids of a-z, 0-9 and -'))(texts) : null,
  },
  migrate: {
    flag: 'migrate', placeholder: 'auto|manual', preset: ['auto'],
    help: 'whether the server makes and updates its tables itself', read: one(readChoice('auto', 'manual')),
  },
  maxBodyBytes: {
    flag: 'max-body-bytes', placeholder: 'N', preset: ['131072'], help: 'the longest request body',
    read: one(readWhole(1024, 16_777_216)),
  },
  maxConnections: {
    flag: 'max-connections', placeholder: 'N', preset: ['4096'], help: 'how many connections at once',
    read: one(readWhole(1, 1_000_000)),
  },
  shutdownTimeout: {
    flag: 'shutdown-timeout', placeholder: 'TIME', preset: ['10s'],
    help: 'how long requests under way may take when the server is told to stop', read: one(readDuration(0, 3600)),
  },
  logLevel: {
    flag: 'log-level', placeholder: 'LEVEL', preset: ['info'], help: 'debug, info, warn, error or silent',
    read: one(readChoice('debug', 'info', 'warn', 'error', 'silent')),
  },
}

/** Different texts, for a help. */
function either(texts: readonly string[]): string {
  return [...new Set(texts)].join(' or ')
}
