import { Suspense } from 'react'
import { sessions } from '@/sessions'
import { becomeEditor, logout } from './actions'
import { LoginForm } from './login-form'

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
      <>
        <p id="state">{reading.kind}</p>
        <LoginForm returnTo={null} />
      </>
    )
  }
  const { session } = reading
  return (
    <>
      <p id="state">{`active ${session.getUserId()} ${session.getJwtPayload().role} ${session.getExpiry()}`}</p>
      <form action={becomeEditor}><button>become editor</button></form>
      <form action={logout}><button>log out</button></form>
    </>
  )
}
