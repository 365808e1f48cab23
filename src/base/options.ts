import { GeneralError } from './errors.ts'
import { nearestName } from './nearest-name.ts'

/** What one option accepts, and what it is if it is left out. What it means, the doc comment of its type says. */
export interface Rule<Value, Preset extends Value | undefined = Value | undefined> {
  /** Completes "must be ...": the type, the unit and the bounds. */
  readonly accepts: string
  /** The default, where it is a plain value. */
  readonly preset: Preset
  /** Whether the value will do; the members of an object are judged on their own. */
  readonly fits: (value: unknown) => value is Value
  /** What each item of a list accepts. Where a single item is no list, it is the item. */
  readonly item?: Rule<unknown>
  /** What the members of an object accept. */
  readonly members?: Rules
  /** Whether no message may repeat the value. */
  readonly isSecret?: true
  /** Whether the option has to be given. */
  readonly isRequired?: true
  /** Whether it may not be `undefined`: where leaving it out is the weaker choice, that has to be meant. */
  readonly isExplicit?: true
}

/** The rules of any public function. */
export type Rules = Readonly<Record<PropertyKey, Rule<unknown>>>

/** The rules of a function that takes these options: one for each of them, and no other. */
export type RulesFor<Options> = {
  readonly [Name in keyof Options]-?: Rule<Exclude<Options[Name], undefined>>
}

// `@__NO_SIDE_EFFECTS__` lets bundlers leave out the tables of rules that an application does not use.

/** A rule of its own; most options have one of those below. */
/* @__NO_SIDE_EFFECTS__ */
export function rule<Value>(accepts: string, fits: (value: unknown) => value is Value): Rule<Value, undefined> {
  return { accepts, preset: undefined, fits }
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
export const flag: Rule<boolean, undefined> = rule('true or false', (value): value is boolean => typeof value === 'boolean')

/** One of some texts. */
/* @__NO_SIDE_EFFECTS__ */
export function oneOf<Value extends string>(...values: readonly Value[]): Rule<Value, undefined> {
  const quoted = values.map(value => JSON.stringify(value)).join(', ')
  const known: ReadonlySet<unknown> = new Set(values)
  return rule(quoted.replace(/, (?=[^,]*$)/, ' or '), (value): value is Value => known.has(value))
}

/** A text of this form. */
/* @__NO_SIDE_EFFECTS__ */
export function text(accepts = 'a text', form: RegExp = /./s): Rule<string, undefined> {
  return rule(accepts, (value): value is string => typeof value === 'string' && form.test(value))
}

/** A function. */
/* @__NO_SIDE_EFFECTS__ */
export function callback<Callback>(): Rule<Callback, undefined> {
  return rule('a function', (value): value is Callback => typeof value === 'function')
}

/** An object that has these methods. */
/* @__NO_SIDE_EFFECTS__ */
export function having<Value>(accepts: string, ...methods: readonly string[]): Rule<Value, undefined> {
  return rule(accepts, (value): value is Value => (
    isObject(value) && methods.every(name => typeof Reflect.get(value, name) === 'function')
  ))
}

/** A list. */
/* @__NO_SIDE_EFFECTS__ */
export function listOf<Item>(accepts: string, item: Rule<Item>): Rule<readonly Item[], undefined> {
  const fits = (value: unknown): value is readonly Item[] => Array.isArray(value) && value.every(item.fits)
  return { ...rule(accepts, fits), item }
}

/** One item, or a list of at least one. */
/* @__NO_SIDE_EFFECTS__ */
export function oneOrMore<Item>(accepts: string, item: Rule<Item>): Rule<Item | readonly Item[], undefined> {
  const fits = (value: unknown): value is Item | readonly Item[] => {
    const items: readonly unknown[] = Array.isArray(value) ? value : [value]
    return items.length > 0 && items.every(item.fits)
  }
  return { ...rule(accepts, fits), item }
}

/** An object of options. */
/* @__NO_SIDE_EFFECTS__ */
export function optionsOf<Options>(members: RulesFor<Options> & Rules): Rule<Options, undefined> {
  const fits = (value: unknown): value is Options => isPlainObject(value)
  return { ...rule('an object of options', fits), members }
}

/** The same rule for an option that has a default. */
/* @__NO_SIDE_EFFECTS__ */
export function withDefault<Value, Preset extends Value>(
  preset: Preset,
  { fits, ...others }: Rule<Value, undefined>,
): Rule<Value, Preset> {
  return { ...others, fits, preset }
}

/** The same rule for an option whose value no message may repeat. */
/* @__NO_SIDE_EFFECTS__ */
export function secret<Any extends Rule<unknown>>(any: Any): Any {
  return { ...any, isSecret: true }
}

/** The same rule for an option that has to be given. */
/* @__NO_SIDE_EFFECTS__ */
export function required<Any extends Rule<unknown>>(any: Any): Any {
  return { ...any, isRequired: true }
}

/** The same rule for an option that may not be given as `undefined`, since without it less is checked. */
/* @__NO_SIDE_EFFECTS__ */
export function explicit<Any extends Rule<unknown>>(any: Any): Any {
  return { ...any, isExplicit: true }
}

/**
 * Judges the options of a public function, whose name is `owner`: unknown names, then values.
 * @throws GeneralError (`MISUSE`) with the name, the value unless it is secret, and what would do.
 */
export function checkOptions(owner: string, rules: Rules, options: unknown, path = ''): void {
  checkNames(owner, rules, options)
  checkValues(rules, options, path)
}

/**
 * As {@link checkOptions}, for options that come with every request: each that fits costs a few nanoseconds.
 * @throws GeneralError (`MISUSE`)
 */
export function checkCallOptions<Options extends object>(owner: string, rules: Rules, options: Options): void {
  if (typeof options !== 'object') return checkOptions(owner, rules, options)
  for (const name in options) {
    if (rules[name]?.fits?.(options[name]) !== true) return checkOptions(owner, rules, options)
  }
}

/** Refuses what is no object of options, and names that have no rule. @throws GeneralError (`MISUSE`) */
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

/** Judges the values of the options that have a rule, and of no others. @throws GeneralError (`MISUSE`) */
export function checkValues(rules: Rules, options: object, path = ''): void {
  for (const key of Reflect.ownKeys(rules)) {
    const each = rules[key]
    const value: unknown = Reflect.get(options, key)
    const isGiven = value !== undefined || each?.isRequired || (each?.isExplicit && key in options)
    if (each !== undefined && isGiven) checkValue(path + nameOf(key), each, value)
  }
}

/** Judges one value, of an option or of an argument. @throws GeneralError (`MISUSE`) */
export function checkValue(name: string, each: Rule<unknown>, value: unknown, isHidden = false): void {
  const { accepts, fits, item, members, isExplicit, isSecret = isHidden } = each
  if (item !== undefined && Array.isArray(value)) {
    for (const [index, one] of value.entries()) checkValue(`${name}[${index}]`, item, one, isSecret)
  }
  if (!fits(value)) refuse(name, accepts, value, isSecret, isExplicit && value === undefined)
  if (members !== undefined) checkOptions(name, members, value, `${name}.`)
}

/** @throws GeneralError (`MISUSE`) that names an option, says what it must be and what it was instead. */
export function refuse(name: string, accepts: string, value: unknown, isSecret = false, isMissing = false): never {
  const cure = isMissing ? '. Leave the option out only if you mean to go without it' : ''
  throw new GeneralError('MISUSE', `${name} must be ${accepts}; received ${received(value, isSecret)}${cure}`)
}

/** A value as messages show it. What may hold a password is told by its length. */
export function received(value: unknown, isSecret: boolean): string {
  if (typeof value === 'string') {
    const isHidden = isSecret || /^[^/?#]*:\/\/[^/?#]*@/.test(value)
    return isHidden ? `a text of ${value.length} characters` : JSON.stringify(value.slice(0, 80))
  }
  if (Array.isArray(value)) return `a list of ${value.length}`
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

/** How an option is written: `name`, or `[symbol]`. */
function nameOf(key: PropertyKey): string {
  return typeof key === 'symbol' ? `[${key.description?.replace(/^.*[.: ]/, '')}]` : String(key)
}

/** A number with its thousands set apart. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}
