import { isLoopbackHost } from '../base/loopback.ts'
import { GeneralError } from '../base/errors.ts'
import { received, refuse } from '../base/options.ts'
import { ownVariables, unknownVariables } from './environment.ts'
import type { EnvironmentVariables } from './environment.ts'
import { schema } from './setting-schema.ts'
import type { ServerSettings, Setting } from './setting-schema.ts'
import { acceptedBy, settingTexts, InvalidSettingError, unknownNames } from './setting-texts.ts'
import { findMisnaming } from './store-place.ts'

export type { LogLevel, ServerSettings } from './setting-schema.ts'

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
  /** Whether a command line has it as a word of its own, without the flag. */
  readonly isPositional: boolean
}

/**
 * Where settings may come from, most important first. Values by flag, by environment variable and by name; that of a
 * setting without a flag (`isPositional`) by the flag that it would have: `store`.
 */
export interface SettingSources {
  readonly flags: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly environment: EnvironmentVariables
  readonly file: Readonly<Record<string, unknown>>
}

/** Every setting, for help and documentation. */
export const settingDescriptions: readonly SettingDescription[] = names().map(name => {
  const { flag, placeholder, help, preset, isList = false, isSecret = false, isPositional = false, read } = schema[name]
  const environment = environmentName(flag)
  return {
    name, flag, environment, placeholder, help, accepts: acceptedBy(read), preset: preset.join(','),
    isList, isSecret, isPositional,
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
    const { flag, isPositional } = schema[name]
    const variable = environmentName(flag)
    const where = isPositional ? `the ${flag}` : `--${flag}`
    if (flags[flag] !== undefined) return { where, value: flags[flag], hasCommas: true }
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
      return readTexts(settingTexts(given.value, isList && given.hasCommas), true)
    } catch (error) {
      if (!(error instanceof InvalidSettingError)) throw error
      problems.push(`${given.where} must be ${error.message}; received ${received(given.value, isSecret)}`)
      return readTexts(preset, false)
    }
  }
  const settings: ServerSettings = {
    store: read('store'),
    prefix: read('prefix'),
    schema: read('schema'),
    host: read('host'),
    port: read('port'),
    basePath: read('basePath'),
    publicOrigin: read('publicOrigin'),
    issuer: read('issuer'),
    audience: read('audience'),
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
    ...findMisnaming(settings),
    // ADM-01: whoever reaches the server may do everything.
    ...isKeyless && !isLoopbackHost(host) ? [keyNeeded('--host')] : [],
    ...isKeyless && publicOrigin !== null && !isLoopbackHost(URL.parse(publicOrigin)?.hostname ?? '') ? [keyNeeded('--public-origin')] : [],
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
