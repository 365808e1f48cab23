import type { Client, ClientSession } from 'keyturn/client'
import type { ProofQuestion, ProofQuestions } from 'keyturn/client/parts'
import { sessionStore, stepUpStore } from 'keyturn/svelte'
import type { QuestionReadable, SessionReadable, SessionView } from 'keyturn/svelte'
import type { Readable } from 'svelte/store'
import type { Claims } from '../application.ts'
import { typeOf } from '../expect.ts'

export function component(client: Client<Claims>, rendered: ClientSession<Claims> | null): void {
  const session = sessionStore(client, rendered)
  typeOf(session).is<SessionReadable<Claims>>()
  typeOf(session.subscribe(view => {
    typeOf(view).is<SessionView<Claims>>()
    // @ts-expect-error: there may be no session
    view.session.userId
  })).is<() => void>()
  const readable: Readable<SessionView<Claims>> = session
  void readable
  // @ts-expect-error: the server rendered a session, or none
  sessionStore(client, 'ada')
  // @ts-expect-error: a server's client, not its address
  sessionStore('https://app.example.com')
}

export function question(stepUp: ProofQuestions<'auth_time'>): Readable<ProofQuestion<'auth_time'> | null> {
  const store = stepUpStore(stepUp)
  typeOf(store).is<QuestionReadable<'auth_time'>>()
  return store
}
