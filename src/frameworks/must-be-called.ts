import { GeneralError } from '../base/errors.ts'

// Each of these functions makes what a framework calls. Passed to the framework itself, it would make that with each
// request and answer none: the client would wait until it gives up (L-25).

/** Makes a function without parameters, which throws a GeneralError (`MISUSE`) if a framework calls it instead. */
export function mustBeCalled<Made>(name: string, make: () => Made): () => Made {
  return (...given: readonly unknown[]) => {
    if (given.length > 0) throw notCalled(name)
    return make()
  }
}

/** Refuses all but one optional handler. @throws GeneralError (`MISUSE`) */
export function checkOtherwise(name: string, given: readonly unknown[]): void {
  const [otherwise, ...others] = given
  if (others.length > 0 || !(otherwise === undefined || typeof otherwise === 'function')) throw notCalled(name)
}

/**
 * Judges what `requireSession` got: options, or a handler and options, which are not judged here.
 * @throws GeneralError (`MISUSE`) if it is what a framework hands to a middleware
 */
export function checkGuardArguments(given: readonly unknown[]): void {
  const [options, ...others] = typeof given[0] === 'function' ? given.slice(1) : given
  if (!isArgument(options) || others.some(isGiven)) throw notCalled('requireSession')
}

/** Judges what a function got that wraps a handler and may take options. @throws GeneralError (`MISUSE`) */
export function checkWrapperArguments(name: string, given: readonly unknown[]): void {
  const [handle, options, ...others] = given
  if (typeof handle !== 'function' || !isArgument(options) || others.some(isGiven)) throw notCalled(name, 'handler')
}

function isGiven(value: unknown): boolean {
  return value !== undefined
}

/** Options are plain objects, and handlers functions; requests, contexts and events are neither. */
function isArgument(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** The error for a function that a framework called in the place of what it makes. */
export function notCalled(name: string, needed: string = ''): GeneralError {
  return new GeneralError('MISUSE', `${name} was called with a request: pass ${name}(${needed}) on, not ${name}`)
}
