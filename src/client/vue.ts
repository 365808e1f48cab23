import * as vue from 'vue'
import type { ShallowRef } from 'vue'
import { explainOldVersion } from '../base/supported-version.ts'
import { followSession } from './session-view.ts'
import type { SessionClient, SessionView } from './session-view.ts'
import type { ClientSession } from './session.ts'

export type { SessionView } from './session-view.ts'

/**
 * The session of a client, as of the last change in any tab. `initialSession` is the session that the server rendered
 * the page with; leave it out if the server did not read it.
 * @throws Error for Vue below 3.3
 */
export function useSession<Payload extends object>(
  client: SessionClient<Payload>,
  initialSession?: ClientSession<Payload> | null,
): Readonly<ShallowRef<SessionView<Payload>>> {
  const problem = explainOldVersion('vue', vue.version)
  if (problem !== null) throw new Error(problem)
  const source = followSession(client, initialSession)
  const view = vue.shallowRef(source.initial())
  const update = (): void => {
    view.value = source.snapshot()
  }
  let stop = (): void => undefined
  vue.onMounted(() => {
    stop = source.subscribe(update)
    update()
  })
  vue.onUnmounted(() => stop())
  return vue.shallowReadonly(view)
}
