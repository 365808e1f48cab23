import { onMounted, onUnmounted, shallowReadonly, shallowRef } from 'vue'
import type { ShallowRef } from 'vue'
import { followSession } from './session-view.ts'
import type { SessionClient, SessionView } from './session-view.ts'
import type { ClientSession } from './session.ts'

export type { SessionView } from './session-view.ts'

/**
 * The session of a client, as of the last change in any tab. `initialSession` is the session that the server rendered
 * the page with; leave it out if the server did not read it.
 */
export function useSession<Payload extends object>(
  client: SessionClient<Payload>,
  initialSession?: ClientSession<Payload> | null,
): Readonly<ShallowRef<SessionView<Payload>>> {
  const source = followSession(client, initialSession)
  const view = shallowRef(source.initial())
  const update = (): void => {
    view.value = source.snapshot()
  }
  let stop = (): void => undefined
  onMounted(() => {
    stop = source.subscribe(update)
    update()
  })
  onUnmounted(() => stop())
  return shallowReadonly(view)
}
