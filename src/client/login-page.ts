import type { Client } from './client.ts'

/**
 * For guards of routes: null if somebody is signed in, otherwise the address of the login page, with `returnTo` and the
 * `reason` for which the session ended as its query. If nothing answers, the page is shown: the session may be active,
 * and the server verifies each request. `signal`, such as that of the navigation, ends the wait for an answer.
 * @example
 * router.beforeEach(async to => to.meta.isPublic ? true : await loginPageFor(client, '/login', to.fullPath) ?? true)
 */
export async function loginPageFor(
  client: Pick<Client<object>, 'getSession' | 'view'>,
  loginPath: string,
  returnTo: string,
  options?: Pick<RequestInit, 'signal'>,
): Promise<string | null> {
  const isOpen = await client.getSession(options).then(session => session !== null, () => true)
  if (options?.signal?.aborted) throw options.signal.reason
  if (isOpen) return null
  const { reason } = client.view()
  const query = new URLSearchParams({ returnTo, ...reason !== null && { reason } })
  return `${loginPath}?${String(query)}`
}
