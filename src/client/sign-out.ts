import * as wire from '../base/wire.ts'
import type { ClientEnvironment } from './environment.ts'
import { REMOVE } from './front-token.ts'
import type { OwnRequests } from './post.ts'
import type { SharedState } from './shared-state.ts'

/** Sends the pending sign-out, if there is one. Resolves to whether none is pending any more. */
export type SendSignOut = () => Promise<boolean>

/** Creates the sender of sign-outs of one tab. */
export function createSignOut(
  env: ClientEnvironment,
  state: SharedState,
  { post }: OwnRequests,
  url: string,
): SendSignOut {
  let flight: Promise<boolean> | null = null

  async function send(): Promise<boolean> {
    const { generation, signOut } = state.current() ?? {}
    if (!signOut || generation === undefined) return true
    const { handle, antiCsrf, refreshToken } = signOut
    // With its handle, a late sign-out does not end another session.
    await post(`${url}?session=${handle}`, generation, antiCsrf, refreshToken, true, async ({ status, headers }) => {
      // A 200 may come from a proxy. The session server confirms by removing the front token. What it refuses now, as
      // without a session, it will refuse later.
      if (headers.get(wire.frontToken) === REMOVE || /^4(?!08|29)/.test(`${status}`)) {
        await state.dispatch({ type: 'signed-out', generation, now: env.now().wall })
      }
    }).catch(() => undefined)
    return !state.current()?.signOut
  }

  return () => flight ??= send().finally(() => {
    flight = null
  })
}
