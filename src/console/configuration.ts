import { inWords } from '../base/duration.ts'
import { received } from '../base/options.ts'
import type { Rule, Rules } from '../base/options.ts'
import type { ConfigurationEntry } from './api-types.ts'

/**
 * The options of a function in effect: what was given, or else the default. Of a secret, and of what is no text or
 * number, it only says that it is set. `computed`: defaults that depend on other options, in words. Pure.
 */
export function configurationOf(
  rules: Rules,
  options: object,
  computed: Readonly<Record<string, string>> = {},
  prefix: string = '',
): readonly ConfigurationEntry[] {
  return Object.entries(rules).flatMap(([name, rule]): readonly ConfigurationEntry[] => {
    const { defaultValue, members } = rule
    const given: unknown = Reflect.get(options, name)
    const isDefault = given === undefined
    const full = prefix + name
    if (members !== undefined) {
      const inner = typeof given === 'object' && given !== null ? given : {}
      return configurationOf(members, inner, computed, `${full}.`)
    }
    const value = isDefault ? computed[full] ?? inText(defaultValue, rule) : inText(given, rule)
    return [{ name: full, value, isDefault }]
  })
}

function inText(value: unknown, rule: Pick<Rule<unknown>, 'isSecret' | 'expected'>): string {
  const { isSecret = false, expected } = rule
  if (value === undefined || value === null) return 'not set'
  if (isSecret) return 'set'
  if (typeof value === 'string') return received(value, false).replace(/^"|"$/g, '')
  if (typeof value === 'number' && expected.startsWith('a duration ')) return inWords(value)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return value.map(item => inText(item, rule)).join(', ')
  return typeof value === 'function' ? 'a function' : 'set'
}

/** Milliseconds in words, for {@link configurationOf}. */
export function durationInWords(milliseconds: number | null): string {
  return milliseconds === null ? 'not set' : inWords(milliseconds / 1000)
}
