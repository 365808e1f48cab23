'use client'

import type { ReactNode } from 'react'
import { createClient } from 'keyturn/client'
import type { ClientSession } from 'keyturn/client'
import { SessionProvider, useSession } from 'keyturn/react'
import type { sessions } from '@/sessions' // the type alone: nothing of the server reaches the browser

const client = createClient<typeof sessions>()

/** `initialSession`: what the server knows, which counts more than what the browser remembers. */
export function Session({ initialSession, children }: {
  initialSession: ClientSession<object> | null | undefined
  children: ReactNode
}) {
  return <SessionProvider client={client} initialSession={initialSession}>{children}</SessionProvider>
}

/** Who is signed in, in every part of the page that the browser renders. */
export function Badge() {
  const { status, session } = useSession<typeof sessions>()
  return <p id="badge">{session === null ? status : `${status} ${session.userId} ${session.jwtPayload.role}`}</p>
}
