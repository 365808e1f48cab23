import { splitAppId } from './app-id.ts'
import { matchCdiRoute } from './cdi/route.ts'
import { matchPath } from './native/match-path.ts'
import { operations } from './native/operations.ts'

/** The pattern of a path, without the ids in it: `/v1/sessions/{handle}`. null: no such path is served. */
export function routeName(path: string): string | null {
  const { rest } = splitAppId(path)
  const operation = operations.find(({ path: pattern }) => matchPath(pattern, rest) !== null)
  if (operation !== undefined) return operation.path
  const route = matchCdiRoute(path)
  return route === null ? null : route.path || '/'
}
