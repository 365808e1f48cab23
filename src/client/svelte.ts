import { followSession } from './session-view.ts'
import type { SessionClient, SessionView } from './session-view.ts'
import type { ClientSession } from './session.ts'
import type { ProofQuestion, ProofQuestions } from './step-up.ts'

export type { SessionView } from './session-view.ts'

/** A readable store, as Svelte's store contract defines it. */
export interface SessionReadable<Payload extends object> {
  /** Calls the function now and after each change, as Svelte's store contract says. Returns how to stop it. */
  subscribe(run: (view: SessionView<Payload>) => void): () => void
  /** Hands over a session that the server has rendered later, such as `data.session` after an action; null for none. */
  rendered(session: ClientSession<Payload> | null | undefined): void
}

/**
 * The session of a client as a store: `$session` in a component. `initialSession` is the session that the server
 * rendered the page with, as `session.toJSON()`; leave it out if the server did not read it.
 */
export function sessionStore<Payload extends object>(
  client: SessionClient<Payload>,
  initialSession?: ClientSession<Payload> | null,
): SessionReadable<Payload> {
  const source = followSession(client, initialSession)
  return {
    subscribe(run) {
      run(source.snapshot())
      return source.subscribe(() => run(source.snapshot()))
    },
    rendered: source.rendered,
  }
}

/** A readable store of a question to the user. */
export interface QuestionReadable<Id extends string> {
  /** Calls the function now and after each change, as Svelte's store contract says. Returns how to stop it. */
  subscribe(run: (question: ProofQuestion<Id> | null) => void): () => void
}

/**
 * What the user is asked to prove now, by `createStepUp` of `keyturn/client/parts`, as a store: `$question` in a
 * component; null if nothing.
 */
export function stepUpStore<Id extends string>(stepUp: ProofQuestions<Id>): QuestionReadable<Id> {
  return {
    subscribe(run) {
      run(stepUp.question())
      return stepUp.onChange(() => run(stepUp.question()))
    },
  }
}
