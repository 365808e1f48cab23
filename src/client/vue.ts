import * as vue from 'vue'
import type { MaybeRefOrGetter, ShallowRef } from 'vue'
import { explainOldVersion } from '../base/supported-version.ts'
import { followSession } from './session-view.ts'
import type { SessionClient, SessionView } from './session-view.ts'
import type { ClientSession } from './session.ts'
import type { ProofQuestion, ProofQuestions } from './step-up.ts'

export type { SessionView } from './session-view.ts'

/**
 * The session of a client, as of the last change in any tab. `initialSession` is the session that the server rendered
 * the page with, as `session.toJSON()`, or a ref of it; leave it out if the server did not read it. Works in
 * components, in other effect scopes such as stores, whose end ends it, and outside of both.
 * @throws Error for Vue below 3.3
 */
export function useSession<Payload extends object>(
  client: SessionClient<Payload>,
  initialSession?: MaybeRefOrGetter<ClientSession<Payload> | null | undefined>,
): Readonly<ShallowRef<SessionView<Payload>>> {
  const problem = explainOldVersion('vue', vue.version)
  if (problem !== null) throw new Error(problem)
  const source = followSession(client, vue.toValue(initialSession))
  const view = vue.shallowRef(source.initial())
  const update = (): void => {
    view.value = source.snapshot()
  }
  let stop = (): void => undefined
  let isOver = false
  const start = (): void => {
    if (isOver) return
    stop = source.subscribe(update)
    update()
  }
  // A page that was rendered on the server is hydrated with what the server knew.
  if (vue.getCurrentInstance()) vue.onMounted(start)
  else if (typeof document !== 'undefined') start()
  if (vue.getCurrentScope()) {
    vue.watch(() => vue.toValue(initialSession), session => source.rendered(session))
    vue.onScopeDispose(() => {
      isOver = true
      stop()
    })
  }
  return vue.shallowReadonly(view)
}

/**
 * What the user is asked to prove now, by `createStepUp` of `keyturn/client/parts`; null if nothing. It lives as long
 * as the effect scope in which it is made.
 */
export function useStepUp<Id extends string>(
  stepUp: ProofQuestions<Id>,
): Readonly<ShallowRef<ProofQuestion<Id> | null>> {
  const question = vue.shallowRef(stepUp.question())
  const stop = stepUp.onChange(() => {
    question.value = stepUp.question()
  })
  if (vue.getCurrentScope()) vue.onScopeDispose(stop)
  return vue.shallowReadonly(question)
}
