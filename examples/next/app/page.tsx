import { sessions } from '../sessions.ts'
import { becomeEditor, login, logout } from './actions.ts'

export default async function Page() {
  const reading = await sessions.readSession()
  if (reading.kind !== 'active') {
    return (
      <form action={login}>
        <p id="state">{reading.kind}</p>
        <input name="userId" defaultValue="ada" />
        <button>log in</button>
      </form>
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
