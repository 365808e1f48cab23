import type { Client, ClientSession } from 'keyturn/client'
import type { ProofQuestion, ProofQuestions } from 'keyturn/client/parts'
import { useSession, useStepUp } from 'keyturn/vue'
import type { SessionView } from 'keyturn/vue'
import type { ShallowRef } from 'vue'
import type { Claims } from '../application.ts'
import { typeOf } from '../expect.ts'

export function setup(client: Client<Claims>, rendered: ClientSession<Claims> | null): void {
  const view = useSession(client, rendered)
  typeOf(view).is<Readonly<ShallowRef<SessionView<Claims>>>>()
  typeOf(useSession(client).value.session).is<ClientSession<Claims> | null>()
  // @ts-expect-error: there may be no session
  view.value.session.userId
  if (view.value.status === 'signed-in') typeOf(view.value.session.jwtPayload).is<Readonly<Claims>>()
  // @ts-expect-error: a view is read
  view.value = { status: 'signed-out', session: null }
  // @ts-expect-error: whose session
  useSession()
  // @ts-expect-error: the server rendered a session, or none
  useSession(client, 'ada')
}

export function question(stepUp: ProofQuestions<'auth_time'>): void {
  typeOf(useStepUp(stepUp)).is<Readonly<ShallowRef<ProofQuestion<'auth_time'> | null>>>()
}
