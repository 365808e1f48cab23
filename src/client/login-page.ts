import type { Client } from './client.ts'

/**
 * For guards of routes: null if somebody is signed in, otherwise the address of the login page, with `returnTo` and the
 * `reason` for which the session ended as its query. If nothing answers, the page is shown: the session may be active,
 * and the server verifies each request.
 * @example
 * router.beforeEach(async to => to.meta.isPublic ? true : await loginPageFor(client, '/login', to.fullPath) ?? true)
 */
export async function loginPageFor(
  client: Pick<Client<object>, 'getSession' | 'view'>,
  loginPath: string,
  returnTo: string,
): Promise<string | null> {
  const isOpen = await client.getSession().then(session => session !== null, () => true)
  if (isOpen) return null
  const { reason } = client.view()
  const query = new URLSearchParams({ returnTo, ...reason !== null && { reason } })
  return `${loginPath}?${String(query)}`
}
