import { TENANT_ID } from '../session/identifiers.ts'
import { acceptedUrls, findStoreKind, storeKinds } from '../stores/registry.ts'
import { readApiKeys } from './api-keys.ts'
import {
  DAY, each, InvalidSettingError, one, optional, readChoice, readDuration, readMatching, readAnyText, readSwitch,
  readWhole,
} from './setting-texts.ts'
import type { SettingReader } from './setting-texts.ts'

/** The settings of a server. Times are in seconds. */
export interface ServerSettings {
  /** The URL of the store. */
  readonly store: string
  /** The prefix of the names of its tables or keys; further applications add their id. null: the store's default. */
  readonly prefix: string | null
  /** The schema of its tables, if the database has schemas; null: the connection's schema. */
  readonly schema: string | null
  /** The size of the pool that each application opens, if the store has one; null: the store's default. */
  readonly poolSize: number | null
  /** The address to listen on. */
  readonly host: string
  /** 0 chooses a free port. */
  readonly port: number
  /** The prefix of all paths. */
  readonly basePath: string
  /** The origin at which clients reach the server; null: its address. With `https:`, every response has HSTS. */
  readonly publicOrigin: string | null
  /** The `iss` claim of access tokens of the native API; null: `publicOrigin`, or else the address, and `basePath`. */
  readonly issuer: string | null
  /** The `aud` claim of these access tokens, or null for none. Refresh tokens are bound to it as well. */
  readonly audience: string | null
  /** Every request must carry one of them. If there are none, only programs on this machine may send requests. */
  readonly apiKeys: readonly string[]
  /** They encrypt the keys in the store: the first encrypts, all decrypt. */
  readonly secrets: readonly string[]
  /** How long an access token is valid, in seconds. */
  readonly accessTokenValidity: number
  /** How long a session may go without a refresh, in seconds. */
  readonly refreshTokenValidity: number
  /** How long a session lasts at most, however often it is refreshed; null: no limit. */
  readonly sessionLifetime: number | null
  /** The reuse interval of refresh tokens; null: 30 s, but at most a fifth of `accessTokenValidity`. */
  readonly reuseInterval: number | null
  /** How long a dynamic key signs before the next key replaces it. */
  readonly keyRotationInterval: number
  /** The most sessions of a user in one tenant; null for any number. */
  readonly maxSessionsPerUser: number | null
  /** The ids of applications besides `public`. */
  readonly apps: readonly string[]
  /** The tenants that are served besides `public`; null: all. */
  readonly tenants: readonly string[] | null
  /** Who creates and updates the tables: the server, or `keyturn migrate`. */
  readonly migrate: 'auto' | 'manual'
  /** The longest session data, in bytes of its JSON. */
  readonly maxSessionDataBytes: number
  /** The longest payload of a CDI access token, in bytes of its JSON. */
  readonly maxPayloadBytes: number
  /** The longest request body; null: `BODY_MARGIN` more than the longest session data. */
  readonly maxBodyBytes: number | null
  /** The most connections at the same time. */
  readonly maxConnections: number
  /** How long the server waits when it starts for a store that does not answer yet. */
  readonly storeWait: number
  /** How long the server still takes requests when it stops, while it answers that it is not ready. */
  readonly shutdownDelay: number
  /** How long the server then waits for requests in progress. */
  readonly shutdownTimeout: number
  /** Which messages are logged. */
  readonly logLevel: LogLevel
  /** Whether the console is served, under `/console`. */
  readonly console: boolean
  /** Who may log in to it: `NAME:ROLE:KEY`. If there are none, the API keys may, with the role `manage`. */
  readonly consoleKeys: readonly string[]
  /** Whether it is served without TLS to other machines than this one. */
  readonly consoleWithoutTls: boolean
}

/** How much longer than the session data a request body may be by default. */
export const BODY_MARGIN = 131_072

/** The least severe level of messages that are written. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** How one setting is named, described and read. */
export interface Setting<Value> {
  readonly flag: string
  readonly placeholder: string
  readonly help: string
  readonly defaultValue: readonly string[]
  readonly isList?: boolean
  readonly isSecret?: boolean
  /** Whether it is given on the command line without its flag. */
  readonly isPositional?: boolean
  /** Whether its flag needs no value: `--console` is `--console=true`. */
  readonly isSwitch?: boolean
  /** Reads a value. @throws InvalidSettingError that says what is accepted. */
  readonly read: SettingReader<Value>
}

const readTenants = each(readMatching(TENANT_ID, 'ids of a-z, 0-9 and -'))

/** Every setting, by its name. */
export const schema: { readonly [Name in keyof ServerSettings]: Setting<ServerSettings[Name]> } = {
  store: {
    flag: 'store', placeholder: 'URL', defaultValue: ['sqlite:keyturn.db'], isSecret: true, isPositional: true,
    help: `where sessions are stored: ${storeKinds.map(({ example }) => example).join(', ')}`,
    read: one(readAnyText(value => {
      if (findStoreKind(value) === null) throw new InvalidSettingError(acceptedUrls)
      return value
    })),
  },
  prefix: {
    flag: 'prefix', placeholder: 'TEXT', defaultValue: [],
    help: 'the prefix of the names of tables or keys; by default '
      + either(storeKinds.map(it => it.prefix.defaultValue)),
    read: optional(readAnyText(value => value)),
  },
  schema: {
    flag: 'schema', placeholder: 'NAME', defaultValue: [],
    help: `the schema of the tables (${either(storeKinds.filter(it => it.schema !== null).map(it => it.title))})`,
    read: optional(readAnyText(value => value)),
  },
  poolSize: {
    flag: 'pool-size', placeholder: 'N', defaultValue: [],
    help: `the most connections of each application to ${
      either(storeKinds.filter(it => it.hasPool).map(it => it.title))}, besides one to listen; by default 10`,
    read: optional(readWhole(1, 1000)),
  },
  host: {
    flag: 'host', placeholder: 'ADDRESS', defaultValue: ['127.0.0.1'],
    // An IPv6 address may be given in brackets, as in a URL.
    help: 'the address to listen on', read: one(readAnyText(value => /^\[(.+)\]$/.exec(value)?.[1] ?? value)),
  },
  port: {
    flag: 'port', placeholder: 'N', defaultValue: ['3567'],
    help: 'the port to listen on; 0 chooses a free one', read: one(readWhole(0, 65_535)),
  },
  basePath: {
    flag: 'base-path', placeholder: 'PATH', defaultValue: [''], help: 'the prefix of all paths, such as /core',
    read: one(readMatching(
      /^(\/[a-z0-9-]+)*$/, 'empty, or a path like /core of a-z, 0-9, - and /, without a slash at the end')),
  },
  publicOrigin: {
    flag: 'public-origin', placeholder: 'ORIGIN', defaultValue: [],
    help: 'the origin at which clients reach the server behind a proxy; with https, every response has an HSTS header',
    read: optional(
      readMatching(/^https?:\/\/[A-Za-z0-9.-]+(:\d{1,5})?$/, 'an origin like https://sessions.example.com'),
    ),
  },
  issuer: {
    flag: 'issuer', placeholder: 'URL', defaultValue: [],
    help: 'the iss claim of access tokens of the native API; by default the public origin, or else the address, and '
      + 'the base path',
    read: optional(readMatching(
      /^https?:\/\/[^\s?#]*[^\s?#/]$/, 'a URL like https://app.example.com/auth, without a slash at the end')),
  },
  audience: {
    flag: 'audience', placeholder: 'TEXT', defaultValue: [], help: 'the aud claim of access tokens of the native API',
    read: optional(readMatching(/^[^\s]{1,255}$/, 'a text of 1 to 255 characters without spaces')),
  },
  apiKeys: {
    flag: 'api-key', placeholder: 'KEY', defaultValue: [], isList: true, isSecret: true,
    help: 'a key that every request must carry; required if other machines can reach the server', read: readApiKeys,
  },
  secrets: {
    flag: 'secret', placeholder: 'TEXT', defaultValue: [], isList: true, isSecret: true,
    help: 'encrypts the keys in the store; if there are several, the first encrypts and all decrypt',
    read: each(readMatching(/^.{32,1024}$/, 'secrets of at least 32 characters')),
  },
  accessTokenValidity: {
    flag: 'access-token-validity', placeholder: 'TIME', defaultValue: ['1h'],
    help: 'how long an access token is valid', read: one(readDuration(1, DAY)),
  },
  refreshTokenValidity: {
    flag: 'refresh-token-validity', placeholder: 'TIME', defaultValue: ['100d'],
    help: 'how long a session lasts without a refresh', read: one(readDuration(1, 400 * DAY)),
  },
  sessionLifetime: {
    flag: 'session-lifetime', placeholder: 'TIME', defaultValue: [],
    help: 'how long a session lasts at most, however often it is refreshed',
    read: optional(readDuration(1, 36_500 * DAY)),
  },
  reuseInterval: {
    flag: 'reuse-interval', placeholder: 'TIME', defaultValue: [],
    help: 'the reuse interval: for up to twice as long, a repeated refresh returns the same refresh token; by default '
      + '30s, or a fifth of the access token validity if that is shorter',
    read: optional(readDuration(0, DAY / 5)),
  },
  keyRotationInterval: {
    flag: 'key-rotation-interval', placeholder: 'TIME', defaultValue: ['7d'],
    help: 'how long a signing key is used before the next one replaces it', read: one(readDuration(3600, 365 * DAY)),
  },
  maxSessionsPerUser: {
    flag: 'max-sessions-per-user', placeholder: 'N', defaultValue: [],
    help: 'the most sessions of a user; a further login revokes the oldest', read: optional(readWhole(1, 1000)),
  },
  apps: {
    flag: 'app', placeholder: 'ID', defaultValue: [], isList: true,
    help: 'serves another application, under /appid-ID, with its own tables or keys',
    read: each(readMatching(/^(?!public$)[a-z0-9-]{1,20}$/, 'ids of 1 to 20 characters a-z, 0-9 and -')),
  },
  tenants: {
    flag: 'tenant', placeholder: 'ID', defaultValue: [], isList: true,
    help: 'serves only these tenants and public; by default all',
    read: Object.assign((texts: readonly string[], isGiven: boolean) => isGiven ? readTenants(texts, true) : null, {
      shape: readTenants.shape,
    }),
  },
  migrate: {
    flag: 'migrate', placeholder: 'auto|manual', defaultValue: ['auto'],
    help: 'auto: the server creates and updates its tables; manual: keyturn migrate does',
    read: one(readChoice('auto', 'manual')),
  },
  maxSessionDataBytes: {
    flag: 'max-session-data-bytes', placeholder: 'N', defaultValue: ['1048576'],
    help: 'the longest session data, in bytes of its JSON', read: one(readWhole(2, 16_777_215)),
  },
  maxPayloadBytes: {
    flag: 'max-payload-bytes', placeholder: 'N', defaultValue: ['5000'],
    help: 'the longest payload of a CDI access token, in bytes of its JSON; the token is about 1.5 times as long',
    read: one(readWhole(2, 65_536)),
  },
  maxBodyBytes: {
    flag: 'max-body-bytes', placeholder: 'N', defaultValue: [],
    help: `the longest request body, in bytes; by default ${BODY_MARGIN} more than the longest session data`,
    read: optional(readWhole(1024, 67_108_864)),
  },
  maxConnections: {
    flag: 'max-connections', placeholder: 'N', defaultValue: ['4096'], help: 'the most open connections',
    read: one(readWhole(1, 1_000_000)),
  },
  storeWait: {
    flag: 'store-wait', placeholder: 'TIME', defaultValue: ['0s'],
    help: 'how long the server waits when it starts for a store that does not answer yet',
    read: one(readDuration(0, 3600)),
  },
  shutdownDelay: {
    flag: 'shutdown-delay', placeholder: 'TIME', defaultValue: ['0s'],
    help: 'how long the server still takes requests when it stops, while /health/ready answers 503; an idle one stops '
      + 'at once', read: one(readDuration(0, 3600)),
  },
  shutdownTimeout: {
    flag: 'shutdown-timeout', placeholder: 'TIME', defaultValue: ['10s'],
    help: 'how long the server waits for requests in progress when it stops', read: one(readDuration(0, 3600)),
  },
  logLevel: {
    flag: 'log-level', placeholder: 'LEVEL', defaultValue: ['info'],
    help: 'the least severe level that is logged: debug, info, warn, error or silent',
    read: one(readChoice('debug', 'info', 'warn', 'error', 'silent')),
  },
  console: {
    flag: 'console', placeholder: 'true|false', defaultValue: ['false'], isSwitch: true,
    help: 'serves the console, a page for operators, under /console', read: one(readSwitch),
  },
  consoleKeys: {
    flag: 'console-key', placeholder: 'NAME:ROLE:KEY', defaultValue: [], isList: true, isSecret: true,
    help: 'who may log in to the console, with the role read or manage; by default the API keys may, with manage',
    read: each(readMatching(
      /^[^\s:,]{1,64}:(?:read|manage):[A-Za-z0-9=-]{20,256}$/,
      'NAME:ROLE:KEY, with a name of 1 to 64 characters, the role read or manage, and a key of at least 20 characters '
        + 'A-Z, a-z, 0-9, = and -')),
  },
  consoleWithoutTls: {
    flag: 'console-without-tls', placeholder: 'true|false', defaultValue: ['false'], isSwitch: true,
    help: 'serves the console on an http origin that other machines can reach: others on the network can take it over',
    read: one(readSwitch),
  },
}

/** Lists texts without duplicates, for a help text. */
function either(texts: readonly string[]): string {
  return [...new Set(texts)].join(' or ')
}
