import type { Client, ClientSession, EndReason } from 'keyturn/client'
import type { ProofQuestion, ProofQuestions } from 'keyturn/client/parts'
import { IfSignedIn, IfSignedOut, SessionProvider, useSession, useSessionEnd, useStepUp } from 'keyturn/react'
import type { SessionGateProps, SessionProviderProps, SessionView } from 'keyturn/react'
import type { ReactElement, ReactNode } from 'react'
import type { sessions } from '../application.ts'
import type { Claims } from '../application.ts'
import { typeOf } from '../expect.ts'
import type { Equal, Expect } from '../expect.ts'

interface Props {
  readonly client: Client<Claims>
  readonly rendered: ClientSession<Claims> | null
}

export function Page({ client, rendered }: Props): ReactElement {
  return (
    <SessionProvider client={client} initialSession={rendered}>
      <SessionProvider client={client}><Greeting /></SessionProvider>
      {/* @ts-expect-error: whose session */}
      <SessionProvider><Greeting /></SessionProvider>
    </SessionProvider>
  )
}
export type Given = Expect<Equal<SessionProviderProps, {
  readonly client: Pick<Client<object>, 'view' | 'expiry' | 'getSession' | 'refresh' | 'onChange'>
  readonly initialSession?: ClientSession<object> | null | undefined
  readonly children?: ReactNode
}>>
typeOf(SessionProvider).is<(props: SessionProviderProps) => ReactElement>()

export type Gate = Expect<Equal<SessionGateProps, { readonly children?: ReactNode }>>

export function Gates(): ReactElement {
  useSessionEnd(reason => typeOf(reason).is<EndReason | null>())
  return <><IfSignedIn>Hello</IfSignedIn><IfSignedOut>Log in</IfSignedOut></>
}

export function Question({ stepUp }: { readonly stepUp: ProofQuestions<'auth_time'> }): ReactNode {
  const question = useStepUp(stepUp)
  typeOf(question).is<ProofQuestion<'auth_time'> | null>()
  return question?.refusal?.message
}

function Greeting(): ReactElement {
  const view = useSession<typeof sessions>()
  typeOf(view).is<SessionView<Claims>>()
  typeOf(view.session).is<ClientSession<Claims> | null>()
  typeOf(useSession().status).is<'loading' | 'signed-in' | 'signed-out' | 'unavailable'>()
  typeOf(useSession<typeof sessions, string | null>(({ session }) => session?.jwtPayload.role ?? null)).is<string | null>()
  // @ts-expect-error: there may be no session
  view.session.userId
  if (view.status !== 'signed-in') return <p>{view.status}</p>
  typeOf(view.session.jwtPayload.role).is<'reader' | 'admin'>()
  // @ts-expect-error: the claims have no such member
  view.session.jwtPayload.rank
  return <p>{view.session.userId}</p>
}
