import axios from 'axios'
import { expectTypeOf, test } from 'vitest'
import { addSessionInterceptor } from '../../src/client/axios.ts'
import { createClient } from '../../src/client/index.ts'
import type { ClientSession } from '../../src/client/index.ts'
import { useSession } from '../../src/client/react.ts'
import { sessionStore } from '../../src/client/svelte.ts'
import { useSession as useVueSession } from '../../src/client/vue.ts'
import type { JsonObject } from '../../src/base/json.ts'
import { expressSessions } from '../../src/frameworks/express.ts'
import { createSessions } from '../../src/index.ts'

interface Claims { readonly role: 'reader' | 'admin' }
interface Info { readonly cart: string[] }

const origin = 'https://app.example.com'
const plain = () => createSessions<Claims, Info>({ origin })
const express = () => expressSessions(plain())

/** Compiled, never run. */
async function fromTheServersType(): Promise<void> {
  const client = createClient<ReturnType<typeof express>>({ baseUrl: 'https://app.example.com' })
  expectTypeOf(await client.getSession()).toEqualTypeOf<ClientSession<Claims> | null>()
  expectTypeOf(createClient<ReturnType<typeof plain>>()).toEqualTypeOf(client)
  expectTypeOf(await createClient().getSession()).toEqualTypeOf<ClientSession<JsonObject> | null>()
  client.onChange(session => {
    // @ts-expect-error: there may be no session
    session.userId
    // @ts-expect-error: the payload is read only
    if (session !== null) session.payload.role = 'admin'
  })
  expectTypeOf(useSession<ReturnType<typeof express>>().session).toEqualTypeOf<ClientSession<Claims> | null>()
  expectTypeOf(useVueSession(client).value.session).toEqualTypeOf<ClientSession<Claims> | null>()
  sessionStore(client).subscribe(({ session }) => expectTypeOf(session).toEqualTypeOf<ClientSession<Claims> | null>())
  addSessionInterceptor(axios.create(), client)
  const send: typeof globalThis.fetch = client.fetch
  await send('/')
}

test('the server’s type is the client’s', () => {
  expectTypeOf(fromTheServersType).toBeFunction()
})
