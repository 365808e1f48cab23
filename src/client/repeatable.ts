import { isObject } from './front-token.ts'

/** What `fetch` takes. */
export type FetchArguments = readonly [input: RequestInfo | URL, init: RequestInit | undefined]

/**
 * The arguments for the first and for the second time a request is sent. Only a stream has to be split for that, and
 * only if the request `mayRepeat`; null if it was not.
 */
export function repeatable(
  input: RequestInfo | URL,
  init: RequestInit | undefined,
  mayRepeat: boolean,
): readonly [first: FetchArguments, again: FetchArguments | null] {
  const { body } = init ?? {}
  if (isObject(body) && 'getReader' in body) return repeatable(new Request(input, init), undefined, mayRepeat)
  const request = requestOf(input)
  // Firefox has no `body` on requests: there undefined may be one.
  if (body != null || request === null || request.body === null) return [[input, init], [input, init]]
  return mayRepeat ? [[request.clone(), init], [input, init]] : [[input, init], null]
}

/** The input as a request, also if it comes from another frame; null if it is an address. */
export function requestOf(input: RequestInfo | URL): Request | null {
  return typeof input === 'object' && 'clone' in input ? input : null
}
