import { Suspense } from 'react'
import { sessions } from '@/sessions'
import { becomeEditor, logout } from './actions'
import { LoginForm } from './login-form'
import { Badge, Session as ClientSession } from './session'

export default function Home() {
  return (
    <main>
      <Suspense>
        <Session />
      </Suspense>
    </main>
  )
}

/** Next.js renders everything around it when it builds; what depends on the session is streamed into it. */
async function Session() {
  const reading = await sessions.readSession()
  if (reading.kind !== 'active') {
    return (
      <ClientSession initialSession={reading.kind === 'none' ? null : undefined}>
        <p id="state">{reading.kind}</p>
        <Badge />
        <LoginForm returnTo={null} />
      </ClientSession>
    )
  }
  const { session } = reading
  return (
    <ClientSession initialSession={session.toJSON()}>
      <p id="state">{`active ${session.getUserId()} ${session.getJwtPayload().role} ${session.getExpiry()}`}</p>
      <Badge />
      <form action={becomeEditor}><button>become editor</button></form>
      <form action={logout}><button>log out</button></form>
    </ClientSession>
  )
}
