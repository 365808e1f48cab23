import { isObject } from './front-token.ts'

/** The arguments of `fetch`. */
export type FetchArguments = readonly [input: Request | string, init: RequestInit | undefined]

/**
 * The arguments for the first and for the second attempt of a request. Only a stream has to be duplicated for that, and
 * only if the request `mayRepeat`; otherwise the second is null.
 */
export function repeatable(
  input: Request | string,
  init: RequestInit | undefined,
  mayRepeat: boolean,
): readonly [first: FetchArguments, again: FetchArguments | null] {
  const { body } = init ?? {}
  if (isObject(body) && 'getReader' in body) return repeatable(new Request(input, init), undefined, mayRepeat)
  // Firefox has no `body` on requests, so undefined may mean that there is one.
  if (body != null || typeof input === 'string' || input.body === null) return [[input, init], [input, init]]
  return mayRepeat ? [[input.clone(), init], [input, init]] : [[input, init], null]
}

/**
 * The input as the platform reads it: null for an address, a request also for a `Request` of another frame. The
 * platform reads any other object as an address, even if it looks like a request.
 */
export function requestOf(input: RequestInfo | URL): Request | null {
  return typeof input === 'object' && 'clone' in input ? new Request(input) : null
}
