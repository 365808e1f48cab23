import { redirect, type LoadEvent } from '@sveltejs/kit'
import { loginPageFor } from 'keyturn/client/parts'
import { client } from '../../lib/client.ts'

export const ssr = false

// The pages below are shown to users who are signed in. For their comfort: the server verifies each request.
export async function load({ url }: LoadEvent) {
  const address = await loginPageFor(client, '/login', url.pathname + url.search)
  if (address !== null) redirect(302, address)
}
