import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { ParseArgsOptionsConfig } from 'node:util'
import { isSessionError } from '../base/errors.ts'
import { parseJsonObject } from '../base/json.ts'
import type { Environment } from '../server/environment.ts'
import { readSettings, settingDescriptions } from '../server/settings.ts'
import type { ServerSettings } from '../server/settings.ts'
import { UsageError } from './command.ts'

/** What a command line says: the settings of the server, the command's own flags, and the words. */
export interface ParsedArguments {
  readonly settings: ServerSettings
  readonly flags: Readonly<Record<string, string | boolean | undefined>>
  readonly words: readonly string[]
}

/** A flag of a command's own. */
export interface OwnFlag {
  readonly type: 'string' | 'boolean'
  readonly help: string
  readonly placeholder?: string
}

/**
 * Reads a command line, the environment and the configuration file (`--config`, `KEYTURN_CONFIG`).
 * @throws UsageError that says what to fix.
 */
export function parseArguments(
  args: readonly string[],
  environment: Environment,
  own: Readonly<Record<string, OwnFlag>>,
): ParsedArguments {
  const options: ParseArgsOptionsConfig = { config: { type: 'string' } }
  for (const { flag, isList } of settingDescriptions) {
    if (!(flag in own)) options[flag] = { type: 'string', multiple: isList }
  }
  for (const [name, { type }] of Object.entries(own)) options[name] = { type }
  const { values, positionals } = parse(args, options)
  const texts: Record<string, string | string[]> = {}
  const flags: Record<string, string | boolean> = {}
  for (const [name, value] of Object.entries(values)) {
    if (name in own && (typeof value === 'string' || typeof value === 'boolean')) flags[name] = value
    else if (typeof value === 'string') texts[name] = value
    else if (Array.isArray(value)) texts[name] = value.filter(item => typeof item === 'string')
  }
  const config = typeof values['config'] === 'string' ? values['config'] : environment['KEYTURN_CONFIG']
  const file = config === undefined || config === '' ? {} : readConfig(config)
  try {
    return { settings: readSettings({ flags: texts, environment, file }), flags, words: positionals }
  } catch (error) {
    throw isSessionError(error) ? new UsageError(error.message) : error
  }
}

/** The help on settings: those of `flags`, or all. */
export function describeSettings(flags: readonly string[] | null = null): string {
  const shown = settingDescriptions.filter(({ flag }) => flags === null || flags.includes(flag))
  const lines = shown.map(({ flag, placeholder, help, preset, isList, environment }) => {
    const more = [preset === '' ? '' : `default ${preset}`, isList ? 'may be repeated' : '', environment]
    return `  ${`--${flag} ${placeholder}`.padEnd(34)} ${help} (${more.filter(Boolean).join('; ')})`
  })
  const config = `  ${'--config FILE'.padEnd(34)} a JSON file of settings, by camel-case name (KEYTURN_CONFIG)`
  return [...lines, config].join('\n')
}

/** The help on a command's own flags. */
export function describeFlags(own: Readonly<Record<string, OwnFlag>>): string {
  return Object.entries(own).map(([name, { help, placeholder }]) => (
    `  ${`--${name}${placeholder === undefined ? '' : ` ${placeholder}`}`.padEnd(34)} ${help}`
  )).join('\n')
}

function parse(args: readonly string[], options: ParseArgsOptionsConfig): {
  readonly values: Readonly<Record<string, unknown>>
  readonly positionals: readonly string[]
} {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    // Node's words name the flag; its hint about `--` helps nobody here.
    const words = error instanceof Error ? error.message.split('. To specify')[0] ?? '' : 'the flags can not be read'
    throw new UsageError(words)
  }
}

function readConfig(path: string): Readonly<Record<string, unknown>> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw new UsageError(`the configuration file ${path} can not be read`)
  }
  const file = parseJsonObject(text)
  if (file !== null) return file
  throw new UsageError(`the configuration file ${path} must hold one JSON object`)
}
