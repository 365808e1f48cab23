import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { ParseArgsOptionsConfig } from 'node:util'
import { isSessionError } from '../base/errors.ts'
import { parseJsonObject } from '../base/json.ts'
import type { EnvironmentVariables } from '../server/environment.ts'
import { readSettings, settingDescriptions } from '../server/settings.ts'
import type { ServerSettings, SettingDescription } from '../server/settings.ts'
import { findStoreKind } from '../stores/registry.ts'
import { UsageError } from './command.ts'

/** What a command line contains: settings of the server, the command's own flags, and the other arguments. */
export interface ParsedArguments {
  readonly settings: ServerSettings
  readonly flags: Readonly<Record<string, string | boolean | readonly string[] | undefined>>
  /** The arguments that are not flags, without the store's URL. */
  readonly words: readonly string[]
  /** Whether the store's URL is one of the arguments. */
  readonly namesStore: boolean
}

/** A flag that belongs to a command and is not a setting of the server. */
export interface OwnFlag {
  readonly type: 'string' | 'boolean'
  readonly help: string
  readonly placeholder?: string
  /** Whether it may be repeated. */
  readonly isList?: boolean
}

/** Which flags a command has. */
export interface CommandFlags {
  /** The settings of the server that the command accepts, by their flags; null: all. */
  readonly settings: readonly string[] | null
  readonly own: Readonly<Record<string, OwnFlag>>
}

/**
 * Reads a command line, the environment and the configuration file (`--config`, `KEYTURN_CONFIG`). The store is the
 * argument that begins with the scheme of a store's URL. Arguments after `--` are never read as a store.
 * @throws UsageError that says what to fix.
 */
export function parseArguments(
  args: readonly string[],
  environment: EnvironmentVariables,
  { settings: names, own }: CommandFlags,
): ParsedArguments {
  const options: ParseArgsOptionsConfig = { config: { type: 'string' } }
  for (const { flag, isList, isPositional, isSwitch } of describedBy(names)) {
    if (!isPositional && !(flag in own)) options[flag] = { type: isSwitch ? 'boolean' : 'string', multiple: isList }
  }
  for (const [name, { type, isList = false }] of Object.entries(own)) options[name] = { type, multiple: isList }
  const { values, words, stores } = parse(args, options)
  const texts: Record<string, string | string[]> = {}
  const flags: Record<string, string | boolean | readonly string[]> = {}
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === 'boolean' && name in own) flags[name] = value
    else if (typeof value === 'boolean') texts[name] = String(value)
    else if (value !== undefined) (name in own ? flags : texts)[name] = value
  }
  const [store, ...others] = stores
  if (others.length > 0) {
    throw new UsageError('two stores were given, but a command uses one. Arguments after -- are not read as stores')
  }
  if (store !== undefined) texts['store'] = store
  const config = typeof values['config'] === 'string' ? values['config'] : environment['KEYTURN_CONFIG']
  const file = config === undefined || config === '' ? {} : readConfig(config)
  try {
    const settings = readSettings({ flags: texts, environment, file })
    return { settings, flags, words, namesStore: store !== undefined }
  } catch (error) {
    throw isSessionError(error) ? new UsageError(error.message) : error
  }
}

/** The help about settings: those of `flags`, or all. */
export function describeSettings(flags: readonly string[] | null = null): string {
  const lines = describedBy(flags).map(
    ({ flag, placeholder, help, defaultValue, isList, isPositional, isSwitch, environment }) => {
      const more = [defaultValue === '' ? '' : `default ${defaultValue}`, isList ? 'may be repeated' : '', environment]
      const name = isPositional ? placeholder : isSwitch ? `--${flag}` : `--${flag} ${placeholder}`
      return `  ${name.padEnd(34)} ${help} (${more.filter(Boolean).join('; ')})`
  })
  const config = `  ${'--config FILE'.padEnd(34)} a JSON file of settings, by their camel-case names (KEYTURN_CONFIG)`
  return [...lines, config].join('\n')
}

/** The help about a command's own flags. */
export function describeFlags(own: Readonly<Record<string, OwnFlag>>): string {
  return Object.entries(own).map(([name, { help, placeholder }]) => (
    `  ${`--${name}${placeholder === undefined ? '' : ` ${placeholder}`}`.padEnd(34)} ${help}`
  )).join('\n')
}

function describedBy(flags: readonly string[] | null): readonly SettingDescription[] {
  return settingDescriptions.filter(({ flag }) => flags === null || flags.includes(flag))
}

function parse(args: readonly string[], options: ParseArgsOptionsConfig): {
  readonly values: Readonly<Record<string, string | boolean | string[] | undefined>>
  readonly words: readonly string[]
  readonly stores: readonly string[]
} {
  try {
    const { values: parsed, tokens } = parseArgs({
      args: [...args],
      options,
      allowPositionals: true,
      strict: true,
      tokens: true,
    })
    const end = tokens.find(({ kind }) => kind === 'option-terminator')?.index ?? args.length
    const words: string[] = []
    const stores: string[] = []
    for (const token of tokens) {
      if (token.kind !== 'positional') continue
      (token.index < end && findStoreKind(token.value) !== null ? stores : words).push(token.value)
    }
    const values = Object.fromEntries(Object.entries(parsed).map(([name, value]) => (
      [name, Array.isArray(value) ? value.map(String) : value]
    )))
    return { values, words, stores }
  } catch (error) {
    // Node's message names the flag. Its hint about `--` is left out, since it does not apply here.
    const message = error instanceof Error ? error.message.split('. To specify')[0] ?? '' : 'the flags cannot be read'
    throw new UsageError(message)
  }
}

function readConfig(path: string): Readonly<Record<string, unknown>> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw new UsageError(`cannot read the configuration file ${path}: check the path and its permissions`)
  }
  const file = parseJsonObject(text)
  if (file !== null) return file
  throw new UsageError(`the configuration file ${path} must contain one JSON object`)
}
