import { login } from './actions'

/** `returnTo`: where to go after the login; null to stay on the page. */
export function LoginForm({ returnTo }: { returnTo: string | null }) {
  return (
    <form action={login}>
      <input name="userId" defaultValue="ada" />
      {returnTo !== null && <input type="hidden" name="returnTo" value={returnTo} />}
      <button>log in</button>
    </form>
  )
}
