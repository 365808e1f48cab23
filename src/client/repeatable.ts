import { isObject } from './front-token.ts'

/** What `fetch` takes. */
export type FetchArguments = readonly [input: Request | string, init: RequestInit | undefined]

/**
 * The arguments for the first and for the second time a request is sent. Only a stream has to be split for that, and
 * only if the request `mayRepeat`; null if it was not.
 */
export function repeatable(
  input: Request | string,
  init: RequestInit | undefined,
  mayRepeat: boolean,
): readonly [first: FetchArguments, again: FetchArguments | null] {
  const { body } = init ?? {}
  if (isObject(body) && 'getReader' in body) return repeatable(new Request(input, init), undefined, mayRepeat)
  // Firefox has no `body` on requests: there undefined may be one.
  if (body != null || typeof input === 'string' || input.body === null) return [[input, init], [input, init]]
  return mayRepeat ? [[input.clone(), init], [input, init]] : [[input, init], null]
}

/**
 * The input as the platform reads it: null for an address, a request also for one of another frame. Whatever only
 * looks like a request is read as an address, as the platform does.
 */
export function requestOf(input: RequestInfo | URL): Request | null {
  return typeof input === 'object' && 'clone' in input ? new Request(input) : null
}
