import { GeneralError } from './errors.ts'
import { nearestName } from './nearest-name.ts'

/**
 * The rule of one option: what it accepts, and its default. The doc comment of the option's type says what it means.
 */
export interface Rule<Value, Default extends Value | undefined = Value | undefined> {
  /** Completes "must be ...": the type, the unit and the bounds. */
  readonly expected: string
  /** The default, if it is a constant. */
  readonly defaultValue: Default
  /** Whether the value is valid. The members of an object are checked separately. */
  readonly isValid: (value: unknown) => value is Value
  /** Says what a value that does not fit is, if it is a common mistake; null otherwise. */
  readonly describe?: (value: unknown) => string | null
  /** The rule of each item of an array; also of the value itself, where one item is accepted instead of an array. */
  readonly item?: Rule<unknown>
  /** The rules of the members of an object. */
  readonly members?: Rules
  /** Whether error messages must not contain the value. */
  readonly isSecret?: true
  /** Whether the option is required. */
  readonly isRequired?: true
  /** Whether `undefined` is rejected: for options whose absence means fewer checks. It must be a decision. */
  readonly isExplicit?: true
}

/** The rules of the options of any public function. */
export type Rules = Readonly<Record<PropertyKey, Rule<unknown>>>

/** The rules of the options of one function: exactly one rule for each option. */
export type RulesFor<Options> = {
  readonly [Name in keyof Options]-?: Rule<Exclude<Options[Name], undefined>>
}

// `@__NO_SIDE_EFFECTS__` lets bundlers remove the rules that an application does not use.

/** A custom rule. Most options use one of the rules below. */
/* @__NO_SIDE_EFFECTS__ */
export function rule<Value>(expected: string, isValid: (value: unknown) => value is Value): Rule<Value, undefined> {
  return { expected, defaultValue: undefined, isValid }
}

/** A whole number from `least` to `most`. */
/* @__NO_SIDE_EFFECTS__ */
export function number(unit: 'milliseconds' | 'bytes' | null, least: number, most: number): Rule<number, undefined> {
  const kind = `whole number${unit === null ? '' : ` of ${unit}`}`
  return rule(`a ${kind} from ${grouped(least)} to ${grouped(most)}`, (value): value is number => (
    typeof value === 'number' && value >= least && value <= most && Number.isInteger(value)
  ))
}

/** True or false. */
export const flag: Rule<boolean, undefined> = rule('true or false',
  (value): value is boolean => typeof value === 'boolean')

/** One of these strings. */
/* @__NO_SIDE_EFFECTS__ */
export function oneOf<Value extends string>(...values: readonly Value[]): Rule<Value, undefined> {
  const quoted = values.map(value => JSON.stringify(value)).join(', ')
  const known: ReadonlySet<unknown> = new Set(values)
  return rule(quoted.replace(/, (?=[^,]*$)/, ' or '), (value): value is Value => known.has(value))
}

/** A string that matches this form. */
/* @__NO_SIDE_EFFECTS__ */
export function text(expected = 'a string', form: RegExp = /./s): Rule<string, undefined> {
  return rule(expected, (value): value is string => typeof value === 'string' && form.test(value))
}

/** A function. */
/* @__NO_SIDE_EFFECTS__ */
export function callback<Callback>(): Rule<Callback, undefined> {
  return rule('a function', (value): value is Callback => typeof value === 'function')
}

/** An object that has these methods. */
/* @__NO_SIDE_EFFECTS__ */
export function having<Value>(expected: string, ...methods: readonly string[]): Rule<Value, undefined> {
  return rule(expected, (value): value is Value => (
    isObject(value) && methods.every(name => typeof Reflect.get(value, name) === 'function')
  ))
}

/** An array. */
/* @__NO_SIDE_EFFECTS__ */
export function listOf<Item>(expected: string, item: Rule<Item>): Rule<readonly Item[], undefined> {
  const isValid = (value: unknown): value is readonly Item[] => Array.isArray(value) && value.every(item.isValid)
  return { ...rule(expected, isValid), item }
}

/** One item, or an array of at least one. */
/* @__NO_SIDE_EFFECTS__ */
export function oneOrMore<Item>(expected: string, item: Rule<Item>): Rule<Item | readonly Item[], undefined> {
  const isValid = (value: unknown): value is Item | readonly Item[] => {
    const items: readonly unknown[] = Array.isArray(value) ? value : [value]
    return items.length > 0 && items.every(item.isValid)
  }
  return { ...rule(expected, isValid), item }
}

/** An object of options. */
/* @__NO_SIDE_EFFECTS__ */
export function optionsOf<Options>(members: RulesFor<Options> & Rules): Rule<Options, undefined> {
  const isValid = (value: unknown): value is Options => isPlainObject(value)
  return { ...rule('an object of options', isValid), members }
}

/** The same rule for an option that has a default. */
/* @__NO_SIDE_EFFECTS__ */
export function withDefault<Value, Default extends Value>(
  defaultValue: Default,
  { isValid, ...others }: Rule<Value, undefined>,
): Rule<Value, Default> {
  return { ...others, isValid, defaultValue }
}

/** The same rule, for an option whose value must not appear in messages. */
/* @__NO_SIDE_EFFECTS__ */
export function secret<Any extends Rule<unknown>>(any: Any): Any {
  return { ...any, isSecret: true }
}

/** The same rule, for a required option. */
/* @__NO_SIDE_EFFECTS__ */
export function required<Any extends Rule<unknown>>(any: Any): Any {
  return { ...any, isRequired: true }
}

/** The same rule, for an option that must not be `undefined`, because fewer checks are made without it. */
/* @__NO_SIDE_EFFECTS__ */
export function explicit<Any extends Rule<unknown>>(any: Any): Any {
  return { ...any, isExplicit: true }
}

/**
 * Checks the options of the public function `owner`: first for unknown names, then the values.
 * @throws GeneralError (`MISUSE`) that names the option, the value (unless it is secret) and what it must be.
 */
export function checkOptions(owner: string, rules: Rules, options: unknown, path = ''): void {
  checkNames(owner, rules, options)
  checkValues(rules, options, path)
}

/**
 * As {@link checkOptions}, for options of every request: a valid option costs a few nanoseconds.
 * @throws GeneralError (`MISUSE`)
 */
export function checkCallOptions<Options extends object>(owner: string, rules: Rules, options: Options): void {
  if (typeof options !== 'object') return checkOptions(owner, rules, options)
  for (const name in options) {
    if (rules[name]?.isValid?.(options[name]) !== true) return checkOptions(owner, rules, options)
  }
}

/** Rejects a value that is not an object of options, and names without a rule. @throws GeneralError (`MISUSE`) */
export function checkNames(owner: string, rules: Rules, options: unknown): asserts options is object {
  const names = Reflect.ownKeys(rules).map(nameOf)
  if (!isPlainObject(options)) {
    const needed = names.filter(name => rules[name]?.isRequired)
    const least = needed.length === 0 ? '' : ` that has ${needed.join(', ')}`
    refuse(owner, `called with an object of options${least}`, options)
  }
  for (const key of Reflect.ownKeys(options)) {
    if (Object.hasOwn(rules, key)) continue
    const nearest = nearestName(nameOf(key), names)
    const cure = nearest === null ? `its options are ${names.join(', ')}` : `did you mean ${nearest}?`
    throw new GeneralError('MISUSE', `${owner} has no option ${nameOf(key).slice(0, 60)}; ${cure}`)
  }
}

/** Checks the values of the options that have a rule. Ignores other options. @throws GeneralError (`MISUSE`) */
export function checkValues(rules: Rules, options: object, path = ''): void {
  for (const key of Reflect.ownKeys(rules)) {
    const each = rules[key]
    const value: unknown = Reflect.get(options, key)
    const isGiven = value !== undefined || each?.isRequired || (each?.isExplicit && key in options)
    if (each !== undefined && isGiven) checkValue(path + nameOf(key), each, value)
  }
}

/** Checks the value of an option or of an argument. @throws GeneralError (`MISUSE`) */
export function checkValue(name: string, each: Rule<unknown>, value: unknown, isHidden = false): void {
  const { expected, isValid, describe, item, members, isExplicit, isSecret = isHidden } = each
  if (item !== undefined && Array.isArray(value)) {
    for (const [index, one] of value.entries()) checkValue(`${name}[${index}]`, item, one, isSecret)
  }
  if (!isValid(value)) refuse(name, expected, value, isSecret, isExplicit && value === undefined, describe?.(value))
  if (members !== undefined) checkOptions(name, members, value, `${name}.`)
}

/** @throws GeneralError (`MISUSE`) that names an option, what it must be and the value received. */
export function refuse(
  name: string,
  expected: string,
  value: unknown,
  isSecret = false,
  isMissing = false,
  description: string | null = null,
): never {
  const cure = isMissing ? '. Leave the option out only if you mean to go without it' : ''
  throw new GeneralError('MISUSE',
    `${name} must be ${expected}; received ${description ?? received(value, isSecret)}${cure}`)
}

/** Describes a value for messages. Of a string that may contain a password, only the length is given. */
export function received(value: unknown, isSecret: boolean): string {
  if (typeof value === 'string') {
    const isHidden = isSecret || /^[^/?#]*:\/\/[^/?#]*@/.test(value)
    return isHidden ? `a string of ${value.length} characters` : JSON.stringify(value.slice(0, 80))
  }
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (!isObject(value)) return isSecret && value !== undefined ? `a ${typeof value}` : String(value)
  if (typeof value === 'function') return 'a function'
  if (typeof Reflect.get(value, 'then') === 'function') return 'a promise: await it first'
  const name: unknown = Reflect.get(value, 'constructor')
  return typeof name === 'function' && name !== Object ? `an object of the class ${name.name}` : 'an object'
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The name of an option as messages show it: `name`, or `[symbol]`. */
function nameOf(key: PropertyKey): string {
  return typeof key === 'symbol' ? `[${key.description?.replace(/^.*[.: ]/, '')}]` : String(key)
}

/** Formats a number with commas between thousands. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}
