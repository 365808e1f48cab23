import { GeneralError } from '../base/errors.ts'
import { received, refuse } from '../base/options.ts'
import { TENANT_ID } from '../session/identifiers.ts'
import { readApiKeys } from './api-keys.ts'
import { ownVariables, unknownVariables } from './environment.ts'
import type { Environment } from './environment.ts'
import { isLoopback } from './loopback.ts'
import { schemeOf } from './open-store.ts'
import {
  acceptedBy, choice, DAY, duration, each, matching, one, optional, textsOf, Unfit, unknownNames, whole,
} from './setting-texts.ts'

/** How a server is set up. Times in seconds. */
export interface ServerSettings {
  /** The URL of the store. */
  readonly store: string
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** What all paths begin with. */
  readonly basePath: string
  /** Where callers reach the server, or null: as it listens. With `https:` answers carry HSTS. */
  readonly publicOrigin: string | null
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

/** One setting: its names, its meaning, and how its text is read. */
export interface SettingDescription {
  readonly name: keyof ServerSettings
  readonly flag: string
  readonly environment: string
  /** What stands for the value in the help. */
  readonly placeholder: string
  readonly help: string
  /** What a value must be, as a wrong one is told. */
  readonly accepts: string
  /** The value without configuration, in words. */
  readonly preset: string
  /** Whether it may be given several times, or as a list with commas. */
  readonly isList: boolean
  /** Whether the value must not be shown. */
  readonly isSecret: boolean
}

/** Where settings may come from, most important first. Values by flag, by environment variable and by name. */
export interface SettingSources {
  readonly flags: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly environment: Environment
  readonly file: Readonly<Record<string, unknown>>
}

interface Setting<Value> {
  readonly flag: string
  readonly placeholder: string
  readonly help: string
  readonly preset: readonly string[]
  readonly isList?: boolean
  readonly isSecret?: boolean
  /** Reads the texts of a value; those of the preset are not given. @throws Unfit that says what would do. */
  readonly read: (texts: readonly string[], isGiven: boolean) => Value
}

const schema: { readonly [Name in keyof ServerSettings]: Setting<ServerSettings[Name]> } = {
  store: {
    flag: 'store', placeholder: 'URL', preset: ['sqlite:keyturn.db'],
    help: 'where sessions live: sqlite:FILE, postgres://, mysql://, redis://', isSecret: true,
    read: one(value => {
      try {
        schemeOf(value)
        return value
      } catch {
        throw new Unfit('a URL that begins with sqlite:, postgres://, mysql:// or redis://')
      }
    }),
  },
  host: {
    flag: 'host', placeholder: 'ADDRESS', preset: ['127.0.0.1'],
    // An IPv6 address may come in the brackets that it has in a URL.
    help: 'the address to listen on', read: one(value => /^\[(.+)\]$/.exec(value)?.[1] ?? value),
  },
  port: {
    flag: 'port', placeholder: 'N', preset: ['3567'],
    help: 'the port to listen on; 0 takes a free one', read: one(whole(0, 65_535)),
  },
  basePath: {
    flag: 'base-path', placeholder: 'PATH', preset: [''], help: 'what all paths begin with: /core, say',
    read: one(matching(/^(\/[a-z0-9-]+)*$/, 'empty, or /words of a-z, 0-9 and - without a slash at the end')),
  },
  publicOrigin: {
    flag: 'public-origin', placeholder: 'ORIGIN', preset: [],
    help: 'where callers reach it behind a proxy; https://... makes answers carry HSTS',
    read: optional(matching(/^https?:\/\/[A-Za-z0-9.-]+(:\d{1,5})?$/, 'an origin like https://sessions.example.com')),
  },
  apiKeys: {
    flag: 'api-key', placeholder: 'KEY', preset: [], isList: true, isSecret: true,
    help: 'a key that requests must carry; needed on any address but this machine\'s own', read: readApiKeys,
  },
  secrets: {
    flag: 'secret', placeholder: 'TEXT', preset: [], isList: true, isSecret: true,
    help: 'encrypts the keys in the store; the first encrypts, all decrypt',
    read: each(matching(/^.{32,1024}$/, 'secrets of at least 32 characters')),
  },
  accessTokenValidity: {
    flag: 'access-token-validity', placeholder: 'TIME', preset: ['1h'],
    help: 'how long an access token lives', read: one(duration(1, DAY)),
  },
  refreshTokenValidity: {
    flag: 'refresh-token-validity', placeholder: 'TIME', preset: ['100d'],
    help: 'how long a session lives without a refresh', read: one(duration(1, 400 * DAY)),
  },
  sessionLifetime: {
    flag: 'session-lifetime', placeholder: 'TIME', preset: [],
    help: 'how long a session lives however often it is refreshed', read: optional(duration(1, 36_500 * DAY)),
  },
  reuseInterval: {
    flag: 'reuse-interval', placeholder: 'TIME', preset: [],
    help: 'how long a used refresh token gives the same answer: 30s, at most a fifth of an access token\'s life',
    read: optional(duration(0, DAY / 5)),
  },
  keyRotationInterval: {
    flag: 'key-rotation-interval', placeholder: 'TIME', preset: ['7d'],
    help: 'how long a signing key signs before the next one does', read: one(duration(3600, 365 * DAY)),
  },
  maxSessionsPerUser: {
    flag: 'max-sessions-per-user', placeholder: 'N', preset: [],
    help: 'a login beyond it ends the oldest session', read: optional(whole(1, 1000)),
  },
  apps: {
    flag: 'app', placeholder: 'ID', preset: [], isList: true, help: 'serves another application, under /appid-ID',
    read: each(matching(/^(?!public$)[a-z0-9-]{1,20}$/, 'ids of 1 to 20 characters a-z, 0-9 and -')),
  },
  tenants: {
    flag: 'tenant', placeholder: 'ID', preset: [], isList: true, help: 'serves only these tenants; by default any',
    read: (texts, isGiven) => isGiven ? each(matching(TENANT_ID, 'ids of a-z, 0-9 and -'))(texts) : null,
  },
  migrate: {
    flag: 'migrate', placeholder: 'auto|manual', preset: ['auto'],
    help: 'whether the server makes and updates its tables itself', read: one(choice('auto', 'manual')),
  },
  maxBodyBytes: {
    flag: 'max-body-bytes', placeholder: 'N', preset: ['131072'], help: 'the longest request body',
    read: one(whole(1024, 16_777_216)),
  },
  maxConnections: {
    flag: 'max-connections', placeholder: 'N', preset: ['4096'], help: 'how many connections at once',
    read: one(whole(1, 1_000_000)),
  },
  shutdownTimeout: {
    flag: 'shutdown-timeout', placeholder: 'TIME', preset: ['10s'],
    help: 'how long requests under way may take when the server is told to stop', read: one(duration(0, 3600)),
  },
  logLevel: {
    flag: 'log-level', placeholder: 'LEVEL', preset: ['info'], help: 'debug, info, warn, error or silent',
    read: one(choice('debug', 'info', 'warn', 'error', 'silent')),
  },
}

/** Every setting, for help and documentation. */
export const settingDescriptions: readonly SettingDescription[] = names().map(name => {
  const { flag, placeholder, help, preset, isList = false, isSecret = false, read } = schema[name]
  const environment = environmentName(flag)
  return {
    name, flag, environment, placeholder, help, accepts: acceptedBy(read), preset: preset.join(','), isList, isSecret,
  }
})

/** The environment variables that mean something. */
export const knownVariables: readonly string[] = ['KEYTURN_CONFIG', ...settingDescriptions.map(it => it.environment)]

/**
 * Reads the settings: flags before environment variables before the file before the presets.
 * @throws GeneralError (`MISUSE`) that names every setting that does not fit, where it was given, its value unless that
 * is secret, and what would do.
 */
export function readSettings({ flags, environment, file }: SettingSources): ServerSettings {
  const own = ownVariables(environment)
  return readEach(name => {
    const { flag } = schema[name]
    const variable = environmentName(flag)
    if (flags[flag] !== undefined) return { where: `--${flag}`, value: flags[flag], hasCommas: true }
    if ((own[variable] ?? '') !== '') return { where: variable, value: own[variable], hasCommas: true }
    if (file[name] === undefined) return null
    return { where: `${name} in the configuration file`, value: file[name], hasCommas: true }
  }, [...unknownVariables(own, knownVariables), ...unknownNames('the configuration file', file, names())])
}

/** Reads what a program passes; null is not given. @throws GeneralError (`MISUSE`) as {@link readSettings} does. */
export function readOptions(options: Readonly<Partial<Record<keyof ServerSettings, unknown>>>): ServerSettings {
  if (typeof options !== 'object' || options === null) refuse('startServer', 'called with an object', options)
  return readEach(name => {
    const value = options[name] ?? null
    return value === null ? null : { where: name, value, hasCommas: false }
  }, unknownNames('startServer', options, names()))
}

/** A value as it was given. */
interface Given {
  readonly where: string
  readonly value: unknown
  /** Whether a list may stand in one text. */
  readonly hasCommas: boolean
}

function readEach(find: (name: keyof ServerSettings) => Given | null, others: readonly string[]): ServerSettings {
  const problems = [...others]
  function read<Name extends keyof ServerSettings>(name: Name): ServerSettings[Name] {
    const { preset, isList = false, isSecret = false, read: readTexts }: Setting<ServerSettings[Name]> = schema[name]
    const given = find(name)
    if (given === null) return readTexts(preset, false)
    try {
      return readTexts(textsOf(given.value, isList && given.hasCommas), true)
    } catch (error) {
      if (!(error instanceof Unfit)) throw error
      problems.push(`${given.where} must be ${error.message}; received ${received(given.value, isSecret)}`)
      return readTexts(preset, false)
    }
  }
  const settings: ServerSettings = {
    store: read('store'),
    host: read('host'),
    port: read('port'),
    basePath: read('basePath'),
    publicOrigin: read('publicOrigin'),
    apiKeys: read('apiKeys'),
    secrets: read('secrets'),
    accessTokenValidity: read('accessTokenValidity'),
    refreshTokenValidity: read('refreshTokenValidity'),
    sessionLifetime: read('sessionLifetime'),
    reuseInterval: read('reuseInterval'),
    keyRotationInterval: read('keyRotationInterval'),
    maxSessionsPerUser: read('maxSessionsPerUser'),
    apps: read('apps'),
    tenants: read('tenants'),
    migrate: read('migrate'),
    maxBodyBytes: read('maxBodyBytes'),
    maxConnections: read('maxConnections'),
    shutdownTimeout: read('shutdownTimeout'),
    logLevel: read('logLevel'),
  }
  problems.push(...contradictions(settings))
  if (problems.length === 0) return settings
  throw new GeneralError('MISUSE', problems.join('\n'))
}

function contradictions(settings: ServerSettings): readonly string[] {
  const { host, publicOrigin, apiKeys, accessTokenValidity, refreshTokenValidity, reuseInterval } = settings
  const isKeyless = apiKeys.length === 0
  return [
    // ADM-01: whoever reaches the server may do everything.
    ...isKeyless && !isLoopback(host) ? [keyNeeded('--host')] : [],
    ...isKeyless && publicOrigin !== null && !isLoopback(URL.parse(publicOrigin)?.hostname ?? '') ? [keyNeeded('--public-origin')] : [],
    ...refreshTokenValidity <= accessTokenValidity
      ? ['--refresh-token-validity must be longer than --access-token-validity']
      : [],
    ...reuseInterval !== null && reuseInterval > accessTokenValidity / 5
      ? [`--reuse-interval must be at most a fifth of --access-token-validity; received ${reuseInterval} seconds`]
      : [],
  ]
}

function keyNeeded(flag: string): string {
  return `--api-key is needed with a ${flag} that other machines can reach: at least 20 characters, by chance`
}

function names(): readonly (keyof ServerSettings)[] {
  return Object.keys(schema).filter(isSettingName)
}

function isSettingName(name: string): name is keyof ServerSettings {
  return Object.hasOwn(schema, name)
}

function environmentName(flag: string): string {
  return `KEYTURN_${flag.replaceAll('-', '_').toUpperCase()}`
}
