import { parseDuration } from '../base/duration.ts'
import { nearestName } from '../base/nearest-name.ts'

/** The value of a setting is invalid. The message says what is accepted, and completes "it must be ...". */
export class InvalidSettingError extends Error {}

/** What a setting accepts: the message of the error for a text that is never valid. */
export function acceptedBy(read: (texts: readonly string[], isGiven: boolean) => unknown): string {
  try {
    read(['\0'], true)
    return 'a text'
  } catch (error) {
    if (error instanceof InvalidSettingError) return error.message
    throw error
  }
}

/** The JSON schema of a setting in the configuration file. */
export interface Shape {
  readonly type?: string | readonly string[]
  readonly pattern?: string
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly items?: Shape
  readonly anyOf?: readonly Shape[]
}

/** Reads one text. */
export interface TextReader<Value> {
  (text: string): Value
  readonly shape: Shape
}

/** Reads the texts that a setting was given; `isGiven` is false for the defaultValue. */
export interface SettingReader<Value> {
  (texts: readonly string[], isGiven: boolean): Value
  readonly shape: Shape
}

/** One message for each given name that is not the name of a setting. */
export function unknownNames(owner: string, given: object, known: readonly string[]): readonly string[] {
  return Object.keys(given).filter(name => !known.includes(name)).map(name => {
    const nearest = nearestName(name, known)
    const hint = nearest === null ? `its settings are ${known.join(', ')}` : `did you mean ${nearest}?`
    return `${owner} has no setting ${JSON.stringify(name.slice(0, 60))}; ${hint}`
  })
}

/** A day, in seconds. */
export const DAY = 86_400

/**
 * The given value as a list of texts. If `isList`, a text is split at commas. If `isSwitch`, true and false are
 * accepted.
 * @throws InvalidSettingError
 */
export function settingTexts(value: unknown, isList: boolean, isSwitch: boolean = false): readonly string[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value]
  const texts = items.map(item => {
    if (typeof item === 'string') return item
    if (typeof item === 'number' || (isSwitch && typeof item === 'boolean')) return String(item)
    if (isSwitch) throw new InvalidSettingError('true or false')
    throw new InvalidSettingError(isList ? 'a text or a list of texts' : 'a text or a number')
  })
  return isList ? texts.flatMap(item => item.split(',')).map(item => item.trim()).filter(item => item !== '') : texts
}

/** Reads exactly one text. */
export function one<Value>(read: TextReader<Value>): SettingReader<Value> {
  return Object.assign(([text, ...more]: readonly string[]) => {
    if (text === undefined || more.length > 0) throw new InvalidSettingError('given once')
    return read(text)
  }, { shape: read.shape })
}

/** Reads one text; null if there is none. */
export function optional<Value>(read: TextReader<Value>): SettingReader<Value | null> {
  const readOne = one(read)
  return Object.assign((texts: readonly string[]) => texts.length === 0 ? null : readOne(texts, true), {
    shape: read.shape,
  })
}

/** Reads any number of texts, without duplicates. */
export function each<Value>(read: TextReader<Value>): SettingReader<readonly Value[]> {
  return Object.assign((texts: readonly string[]) => [...new Set(texts)].map(read), {
    // A text may also have several items, with commas.
    shape: { anyOf: [{ type: 'array', items: read.shape }, { type: 'string' }] },
  })
}

/** Reads a text with a function. */
export function readAnyText(read: (text: string) => string): TextReader<string> {
  return Object.assign((text: string) => read(text), { shape: { type: 'string' } })
}

/** Reads a text that matches the pattern; `expected` describes it. */
export function readMatching(pattern: RegExp, expected: string): TextReader<string> {
  return Object.assign((text: string) => {
    if (pattern.test(text)) return text
    throw new InvalidSettingError(expected)
  }, { shape: { type: 'string', pattern: pattern.source } })
}

/** Reads a whole number within the bounds. */
export function readWhole(least: number, most: number): TextReader<number> {
  return Object.assign((text: string) => {
    const value = WHOLE.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    throw new InvalidSettingError(`a whole number from ${least} to ${most}`)
  }, { shape: { type: ['integer', 'string'], minimum: least, maximum: most, pattern: WHOLE.source } })
}

const WHOLE = /^\d{1,12}$/
const DURATION = /^\d+(\.\d+)?(ms|s|m|h|d)?$/

/** Reads a duration in seconds: a number of seconds, or a number with the unit ms, s, m, h or d. Precise to 1 ms. */
export function readDuration(least: number, most: number): TextReader<number> {
  return Object.assign((text: string) => {
    const seconds = parseDuration(text) / 1000
    if (seconds >= least && seconds <= most) return seconds
    throw new InvalidSettingError(`a time from ${least} to ${most} seconds: 90, 90s, 15m, 1h or 100d`)
  }, { shape: { type: ['number', 'string'], minimum: least, maximum: most, pattern: DURATION.source } })
}

/** Reads true or false. */
export const readSwitch: TextReader<boolean> = Object.assign((text: string) => {
  if (text === 'true' || text === 'false') return text === 'true'
  throw new InvalidSettingError('true or false')
}, { shape: { anyOf: [{ type: 'boolean' }, { enum: ['true', 'false'] }] } })

/** Reads one of these words. */
export function readChoice<Word extends string>(...words: readonly Word[]): TextReader<Word> {
  return Object.assign((text: string) => {
    const word = words.find(item => item === text)
    if (word !== undefined) return word
    throw new InvalidSettingError(`one of ${words.join(', ')}`)
  }, { shape: { enum: words } })
}
