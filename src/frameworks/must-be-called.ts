import { GeneralError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import { corsRules } from '../transport/cors.ts'
import type { CorsOptions } from '../transport/cors.ts'

// Each function that is checked here returns what a framework calls: a middleware, a hook or a handler. If it is passed
// to the framework without being called, it would return a middleware for each request and never answer: the client
// would wait until it times out (L-25).

/** Wraps a function without parameters, so that it throws a GeneralError (`MISUSE`) if a framework calls it. */
export function mustBeCalled<Made>(name: string, make: () => Made): () => Made {
  return (...given: readonly unknown[]) => {
    if (given.length > 0) throw notCalled(name)
    return make()
  }
}

/** Wraps a function that takes options of CORS. It throws as {@link mustBeCalled} says, and for invalid options. */
export function mustBeCalledForCors<Made>(
  name: string,
  make: (options: CorsOptions) => Made,
): (options?: CorsOptions) => Made {
  return (...given: readonly unknown[]) => make(corsOptionsOf(name, given))
}

/** The options of CORS among arguments that a framework may have passed. @throws GeneralError (`MISUSE`) */
export function corsOptionsOf(name: string, [options = {}, ...others]: readonly unknown[]): CorsOptions {
  const isObject = typeof options === 'object' && options !== null
  if (!isObject || !isArgument(options) || others.some(isGiven)) throw notCalled(name)
  checkOptions(name, corsRules, options)
  return options
}

/** Accepts one optional handler and nothing else. @throws GeneralError (`MISUSE`) */
export function checkOtherwise(name: string, given: readonly unknown[]): void {
  const [otherwise, ...others] = given
  if (others.length > 0 || !(otherwise === undefined || typeof otherwise === 'function')) throw notCalled(name)
}

/**
 * Checks that the arguments of `requireSession` are options, or a handler and options. It does not check the options.
 * @throws GeneralError (`MISUSE`) if they are the arguments that a framework passes to a middleware
 */
export function checkGuardArguments(given: readonly unknown[]): void {
  const [options, ...others] = typeof given[0] === 'function' ? given.slice(1) : given
  if (!isArgument(options) || others.some(isGiven)) throw notCalled('requireSession')
}

/** Checks the arguments of a function that wraps a handler and may take options. @throws GeneralError (`MISUSE`) */
export function checkWrapperArguments(name: string, given: readonly unknown[]): void {
  const [handle, options, ...others] = given
  if (typeof handle !== 'function' || !isArgument(options) || others.some(isGiven)) throw notCalled(name, 'handler')
}

function isGiven(value: unknown): boolean {
  return value !== undefined
}

/** Options are plain objects, and handlers are functions; requests, contexts and events are neither. */
function isArgument(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** The error for a function that a framework called instead of the function's result. */
export function notCalled(name: string, needed: string = ''): GeneralError {
  return new GeneralError('MISUSE', `the framework called ${name}: pass it ${name}(${needed}), not ${name}`)
}
