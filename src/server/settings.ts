import { isLoopbackHost } from '../base/loopback.ts'
import { GeneralError } from '../base/errors.ts'
import { received, refuse } from '../base/options.ts'
import { ownVariables, unknownVariables } from './environment.ts'
import type { EnvironmentVariables } from './environment.ts'
import { consoleProblems } from './console/problems.ts'
import { schema } from './setting-schema.ts'
import type { ServerSettings, Setting } from './setting-schema.ts'
import { acceptedBy, settingTexts, InvalidSettingError, unknownNames } from './setting-texts.ts'
import { findStoreSettingProblems } from './store-place.ts'

export type { LogLevel, ServerSettings } from './setting-schema.ts'

/** One setting: its names, its meaning, and what it accepts. */
export interface SettingDescription {
  /** The name of the setting in a file and in code. */
  readonly name: keyof ServerSettings
  /** The flag of the command line, without `--`. */
  readonly flag: string
  /** The environment variable. */
  readonly environment: string
  /** The placeholder of the value in the help. */
  readonly placeholder: string
  /** What the setting does, with its unit, bounds and default. */
  readonly help: string
  /** What a value must be; completes "must be ...". */
  readonly expected: string
  /** The default, as text; empty if there is none. */
  readonly defaultValue: string
  /** Whether it may be given several times, or as a list separated by commas. */
  readonly isList: boolean
  /** Whether the value must not be shown. */
  readonly isSecret: boolean
  /** Whether it is given on the command line without its flag. */
  readonly isPositional: boolean
  /** Whether its flag needs no value. */
  readonly isSwitch: boolean
}

/**
 * The sources of settings, the first one overriding the others: values by flag, by environment variable, and by name. A
 * setting that is given without its flag (`isPositional`) is in `flags` under that name all the same: `store`.
 */
export interface SettingSources {
  /** The flags of the command line; they count before the other sources. */
  readonly flags: Readonly<Record<string, string | readonly string[] | undefined>>
  /** The environment variables; they count before the file. */
  readonly environment: EnvironmentVariables
  /** The content of the configuration file. */
  readonly file: Readonly<Record<string, unknown>>
}

/** All settings, for help and documentation. */
export const settingDescriptions: readonly SettingDescription[] = names().map(name => {
  const { isList = false, isSecret = false, isPositional = false, isSwitch = false } = schema[name]
  const { flag, placeholder, help, defaultValue, read } = schema[name]
  const environment = environmentName(flag)
  return {
    name, flag, environment, placeholder, help, expected: acceptedBy(read), defaultValue: defaultValue.join(','),
    isList, isSecret, isPositional, isSwitch,
  }
})

/** The environment variables that Keyturn reads. */
export const knownVariables: readonly string[] = ['KEYTURN_CONFIG', ...settingDescriptions.map(it => it.environment)]

/**
 * Reads the settings. Flags override environment variables, which override the file, which overrides the defaults.
 * @throws GeneralError (`MISUSE`) if any setting is invalid. The message names each of them: where it was given, its
 * value unless that is secret, and what is accepted.
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
  }, [...unknownVariables(own, knownVariables),
    ...unknownNames('the configuration file', withoutSchema(file), names())])
}

/** A JSON schema that the file names is for editors. */
function withoutSchema({ $schema: _, ...settings }: SettingSources['file']): SettingSources['file'] {
  return settings
}

/** Reads a program's options; null counts as not given. @throws GeneralError (`MISUSE`) like {@link readSettings}. */
export function readOptions(options: Readonly<Partial<Record<keyof ServerSettings, unknown>>>): ServerSettings {
  if (typeof options !== 'object' || options === null) refuse('startServer', 'called with an object', options)
  return readEach(name => {
    const value = options[name] ?? null
    return value === null ? null : { where: name, value, hasCommas: false }
  }, unknownNames('startServer', options, names()))
}

/** A value, and where it was given. */
interface Given {
  readonly where: string
  readonly value: unknown
  /** Whether a list may be given as one text with commas. */
  readonly hasCommas: boolean
}

function readEach(find: (name: keyof ServerSettings) => Given | null, others: readonly string[]): ServerSettings {
  const problems = [...others]
  function read<Name extends keyof ServerSettings>(name: Name): ServerSettings[Name] {
    const setting: Setting<ServerSettings[Name]> = schema[name]
    const { defaultValue, isList = false, isSecret = false, isSwitch = false, read: readTexts } = setting
    const given = find(name)
    if (given === null) return readTexts(defaultValue, false)
    try {
      return readTexts(settingTexts(given.value, isList && given.hasCommas, isSwitch), true)
    } catch (error) {
      if (!(error instanceof InvalidSettingError)) throw error
      problems.push(`${given.where} must be ${error.message}; received ${received(given.value, isSecret)}`)
      return readTexts(defaultValue, false)
    }
  }
  const settings: ServerSettings = {
    store: read('store'),
    prefix: read('prefix'),
    schema: read('schema'),
    poolSize: read('poolSize'),
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
    maxSessionDataBytes: read('maxSessionDataBytes'),
    maxPayloadBytes: read('maxPayloadBytes'),
    maxBodyBytes: read('maxBodyBytes'),
    maxConnections: read('maxConnections'),
    storeWait: read('storeWait'),
    shutdownDelay: read('shutdownDelay'),
    shutdownTimeout: read('shutdownTimeout'),
    logLevel: read('logLevel'),
    console: read('console'),
    consoleKeys: read('consoleKeys'),
    consoleWithoutTls: read('consoleWithoutTls'),
  }
  problems.push(...contradictions(settings))
  if (problems.length === 0) return settings
  throw new GeneralError('MISUSE', problems.join('\n'))
}

function contradictions(settings: ServerSettings): readonly string[] {
  const { host, publicOrigin, apiKeys, accessTokenValidity, refreshTokenValidity, reuseInterval } = settings
  const isKeyless = apiKeys.length === 0
  return [
    ...findStoreSettingProblems(settings),
    ...consoleProblems(settings),
    // ADM-01: without an API key, everybody who reaches the server may do everything.
    ...isKeyless && !isLoopbackHost(host) ? [keyNeeded('--host')] : [],
    ...isKeyless && publicOrigin !== null && !isLoopbackHost(URL.parse(publicOrigin)?.hostname ?? '')
      ? [keyNeeded('--public-origin')] : [],
    ...refreshTokenValidity <= accessTokenValidity
      ? ['--refresh-token-validity must be longer than --access-token-validity']
      : [],
    ...reuseInterval !== null && reuseInterval > accessTokenValidity / 5
      ? [`--reuse-interval must be at most a fifth of --access-token-validity; received ${reuseInterval} seconds`]
      : [],
  ]
}

function keyNeeded(flag: string): string {
  return `--api-key is needed with a ${flag} that other machines can reach: set at least 20 random characters`
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
