import { GeneralError } from '../base/errors.ts'
import { schemeOf } from './open-store.ts'

/** How a server is set up. Times in seconds. */
export interface ServerSettings {
  /** The URL of the store. */
  readonly store: string
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** What all paths begin with. */
  readonly basePath: string
  /** One of them must come with every request; without any, only this machine may ask. */
  readonly apiKeys: readonly string[]
  /** The first seals keys in the store, any opens them. */
  readonly secrets: readonly string[]
  readonly accessTokenValidity: number
  readonly refreshTokenValidity: number
  /** When a session ends however often it is refreshed, or null. */
  readonly sessionLifetime: number | null
  readonly reuseInterval: number
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
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly file: Readonly<Record<string, unknown>>
}

interface Setting<Value> {
  readonly flag: string
  readonly placeholder: string
  readonly help: string
  readonly preset: readonly string[]
  readonly isList?: boolean
  readonly isSecret?: boolean
  /** Reads the texts of a value. @throws Unfit that says what would do. */
  readonly read: (texts: readonly string[]) => Value
}

class Unfit extends Error {}

const DAY = 86_400

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
    help: 'the address to listen on', read: one(value => value),
  },
  port: {
    flag: 'port', placeholder: 'N', preset: ['3567'],
    help: 'the port to listen on; 0 takes a free one', read: one(whole(0, 65_535)),
  },
  basePath: {
    flag: 'base-path', placeholder: 'PATH', preset: [''], help: 'what all paths begin with: /core, say',
    read: one(matching(/^(\/[a-z0-9-]+)*$/, 'empty, or /words of a-z, 0-9 and - without a slash at the end')),
  },
  apiKeys: {
    flag: 'api-key', placeholder: 'KEY', preset: [], isList: true, isSecret: true,
    help: 'a key that requests must carry; needed on any address but this machine\'s own',
    read: each(matching(/^[A-Za-z0-9=-]{20,256}$/, 'keys of at least 20 characters A-Z, a-z, 0-9, = and -')),
  },
  secrets: {
    flag: 'secret', placeholder: 'TEXT', preset: [], isList: true, isSecret: true,
    help: 'seals the signing keys in the store; the first seals, all open',
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
    flag: 'reuse-interval', placeholder: 'TIME', preset: ['30s'],
    help: 'how long a used refresh token still gives the same answer', read: one(duration(0.001, 300)),
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
    read: texts => texts.length === 0 ? null : each(matching(/^[a-z0-9-]{1,64}$/, 'ids of a-z, 0-9 and -'))(texts),
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
  const { flag, placeholder, help, preset, isList = false, isSecret = false } = schema[name]
  const environment = environmentName(flag)
  return { name, flag, environment, placeholder, help, preset: preset.join(','), isList, isSecret }
})

/**
 * Reads the settings: flags before environment variables before the file before the presets.
 * @throws GeneralError (`misuse`) that names every setting that does not fit, where it was given and what would do; it
 * never repeats a value.
 */
export function readSettings({ flags, environment, file }: SettingSources): ServerSettings {
  const problems: string[] = []
  const known = new Set<string>(names())
  for (const name of Object.keys(file)) {
    if (!known.has(name)) problems.push(`the configuration file has no setting ${JSON.stringify(name.slice(0, 60))}`)
  }
  function read<Name extends keyof ServerSettings>(name: Name): ServerSettings[Name] {
    const { flag, preset, isList = false, read: readTexts }: Setting<ServerSettings[Name]> = schema[name]
    const variable = environmentName(flag)
    const [where, given] = flags[flag] !== undefined
      ? [`--${flag}`, flags[flag]]
      : environment[variable] !== undefined && environment[variable] !== ''
        ? [variable, environment[variable]]
        : file[name] !== undefined ? [`${name} in the configuration file`, file[name]] : ['', preset]
    try {
      return readTexts(textsOf(given, isList))
    } catch (error) {
      if (!(error instanceof Unfit)) throw error
      problems.push(`${where} must be ${error.message}`)
      return readTexts(preset)
    }
  }
  const settings: ServerSettings = {
    store: read('store'),
    host: read('host'),
    port: read('port'),
    basePath: read('basePath'),
    apiKeys: read('apiKeys'),
    secrets: read('secrets'),
    accessTokenValidity: read('accessTokenValidity'),
    refreshTokenValidity: read('refreshTokenValidity'),
    sessionLifetime: read('sessionLifetime'),
    reuseInterval: read('reuseInterval'),
    maxSessionsPerUser: read('maxSessionsPerUser'),
    apps: read('apps'),
    tenants: read('tenants'),
    migrate: read('migrate'),
    maxBodyBytes: read('maxBodyBytes'),
    maxConnections: read('maxConnections'),
    shutdownTimeout: read('shutdownTimeout'),
    logLevel: read('logLevel'),
  }
  if (settings.apiKeys.length === 0 && !isLoopback(settings.host)) {
    problems.push('--api-key is needed with a --host that other machines can reach (ADM-01)')
  }
  if (settings.refreshTokenValidity <= settings.accessTokenValidity) {
    problems.push('--refresh-token-validity must be longer than --access-token-validity')
  }
  if (problems.length === 0) return settings
  throw new GeneralError('misuse', problems.join('\n'))
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

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

function textsOf(value: unknown, isList: boolean): readonly string[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value]
  const texts = items.map(item => {
    if (typeof item === 'string') return item
    if (typeof item === 'number') return String(item)
    throw new Unfit(isList ? 'a text or a list of texts' : 'a text or a number')
  })
  return isList ? texts.flatMap(item => item.split(',')).map(item => item.trim()).filter(item => item !== '') : texts
}

function one<Value>(read: (text: string) => Value): (texts: readonly string[]) => Value {
  return ([text, ...more]) => {
    if (text === undefined || more.length > 0) throw new Unfit('given once')
    return read(text)
  }
}

function optional<Value>(read: (text: string) => Value): (texts: readonly string[]) => Value | null {
  return texts => texts.length === 0 ? null : one(read)(texts)
}

function each<Value>(read: (text: string) => Value): (texts: readonly string[]) => readonly Value[] {
  return texts => texts.map(read)
}

function matching(pattern: RegExp, words: string): (text: string) => string {
  return text => {
    if (pattern.test(text)) return text
    throw new Unfit(words)
  }
}

function whole(least: number, most: number): (text: string) => number {
  return text => {
    const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    throw new Unfit(`a whole number from ${least} to ${most}`)
  }
}

const units: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: DAY }

/** Reads a time: a number of seconds, or a number with the unit ms, s, m, h or d. */
function duration(least: number, most: number): (text: string) => number {
  return text => {
    const [, digits = '', unit = 's'] = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d)?$/.exec(text) ?? []
    const seconds = digits === '' ? Number.NaN : Number(digits) * (units[unit] ?? 1)
    if (seconds >= least && seconds <= most) return seconds
    throw new Unfit(`a time from ${least} to ${most} seconds: 90, 90s, 15m, 1h or 100d`)
  }
}

function choice<Word extends string>(...words: readonly Word[]): (text: string) => Word {
  return text => {
    const word = words.find(item => item === text)
    if (word !== undefined) return word
    throw new Unfit(`one of ${words.join(', ')}`)
  }
}
