import { parseDuration } from '../base/duration.ts'
import { nearestName } from '../base/nearest-name.ts'

/** A text does not fit. The message says what would do, as the end of "it must be ...". */
export class InvalidSettingError extends Error {}

/** What each text must be, as one that never fits is told. */
export function acceptedBy(read: (texts: readonly string[], isGiven: boolean) => unknown): string {
  try {
    read(['\0'], true)
    return 'a text'
  } catch (error) {
    if (error instanceof InvalidSettingError) return error.message
    throw error
  }
}

/** What is wrong with the names of the settings that were given, each in one sentence. */
export function unknownNames(owner: string, given: object, known: readonly string[]): readonly string[] {
  return Object.keys(given).filter(name => !known.includes(name)).map(name => {
    const nearest = nearestName(name, known)
    const cure = nearest === null ? `its settings are ${known.join(', ')}` : `did you mean ${nearest}?`
    return `${owner} has no setting ${JSON.stringify(name.slice(0, 60))}; ${cure}`
  })
}

/** A day, in seconds. */
export const DAY = 86_400

/** The texts of a value as it was given. A list may stand in one text, with commas. @throws InvalidSettingError */
export function settingTexts(value: unknown, isList: boolean): readonly string[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value]
  const texts = items.map(item => {
    if (typeof item === 'string') return item
    if (typeof item === 'number') return String(item)
    throw new InvalidSettingError(isList ? 'a text or a list of texts' : 'a text or a number')
  })
  return isList ? texts.flatMap(item => item.split(',')).map(item => item.trim()).filter(item => item !== '') : texts
}

/** Exactly one text. */
export function one<Value>(read: (text: string) => Value): (texts: readonly string[]) => Value {
  return ([text, ...more]) => {
    if (text === undefined || more.length > 0) throw new InvalidSettingError('given once')
    return read(text)
  }
}

/** One text, or null for none. */
export function optional<Value>(read: (text: string) => Value): (texts: readonly string[]) => Value | null {
  return texts => texts.length === 0 ? null : one(read)(texts)
}

/** Any number of texts, each once. */
export function each<Value>(read: (text: string) => Value): (texts: readonly string[]) => readonly Value[] {
  return texts => [...new Set(texts)].map(read)
}

/** A text of this shape; `words` say which. */
export function readMatching(pattern: RegExp, words: string): (text: string) => string {
  return text => {
    if (pattern.test(text)) return text
    throw new InvalidSettingError(words)
  }
}

/** A whole number. */
export function readWhole(least: number, most: number): (text: string) => number {
  return text => {
    const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    throw new InvalidSettingError(`a whole number from ${least} to ${most}`)
  }
}

/** Reads a time: a number of seconds, or a number with the unit ms, s, m, h or d. To the millisecond. */
export function readDuration(least: number, most: number): (text: string) => number {
  return text => {
    const seconds = parseDuration(text) / 1000
    if (seconds >= least && seconds <= most) return seconds
    throw new InvalidSettingError(`a time from ${least} to ${most} seconds: 90, 90s, 15m, 1h or 100d`)
  }
}

/** One of some words. */
export function readChoice<Word extends string>(...words: readonly Word[]): (text: string) => Word {
  return text => {
    const word = words.find(item => item === text)
    if (word !== undefined) return word
    throw new InvalidSettingError(`one of ${words.join(', ')}`)
  }
}
