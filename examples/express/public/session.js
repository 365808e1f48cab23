// The session of this page: Keyturn's client as plain modules, without a build step.
import { signal } from '@preact/signals'
import { createClient } from 'keyturn/client'
import { createDevices } from 'keyturn/client/parts'
import { now } from './parts.js'
import { exchanges, traced } from './trace.js'

export const client = createClient({ fetch: traced })
export const devices = createDevices(client, { path: '/devices' })

/** A `fetch` that sends the session, and refreshes it when needed, once for all tabs. */
export const request = client.fetch

/** The session: null if nobody is signed in. */
export const session = signal(client.view().session)
/** Why the last session of this page ended; null if it did not. */
export const ending = signal(null)
/** When the server was made to refuse the access token of that moment; null if it was not. */
export const refusedSince = signal(null)

/** How long the access token can be used, in milliseconds: 0 if it has expired or the server refuses it. */
export function timeLeft() {
  const newest = exchanges.value.findLast(({ expiry }) => expiry)?.at ?? 0
  if (refusedSince.value > newest) return 0
  return Math.max(0, (client.expiry() ?? 0) - now.value)
}

// Called when the session begins, changes or ends, in this tab or in another.
client.onChange((view, previous) => {
  if (view.session === null && previous.session !== null) void explain(view.reason, previous.session.handle)
  else if (view.session !== null) ending.value = null
  session.value = view.session
})

/** Calls a protected route `count` times at once. Resolves to the statuses; 0 if there was no answer. */
export function call(count = 1) {
  // The addresses differ, because browsers send requests for the same address one after the other.
  return Promise.all(Array.from({ length: count }, async (_, number) => {
    try {
      return (await client.fetch(`/me?${number}`)).status
    } catch {
      return 0 // The device is offline, or the server or its database is down: the session is kept.
    }
  }))
}

/** Sends JSON. Resolves to whether it was accepted, and to the answer or the reason. */
export async function send(method, path, body) {
  try {
    const response = await client.fetch(path, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    const answer = await response.json()
    if (response.ok) return { ok: true, answer, reason: '' }
    return { ok: false, answer: null, reason: response.status === 503 ? databaseDown : answer.message }
  } catch (error) {
    return { ok: false, answer: null, reason: error.status === 503 ? notNow : noAnswer }
  }
}

const databaseDown = 'The database does not answer. Your session is kept. Try again in a moment.'
const notNow = 'The server cannot refresh the session now. It is kept. Try again in a moment.'
const noAnswer = 'The server cannot be reached. Your session is kept. Try again when you are online.'

let isSigningOut = false

/** Signs out. Resolves to what remains to be done, in words; empty if nothing does. */
export async function signOut() {
  isSigningOut = true
  const isConfirmed = await client.signOut()
  isSigningOut = false
  return isConfirmed ? '' : 'The server cannot be reached. It learns of the sign-out when it can.'
}

const reasons = {
  'signed-out': 'You signed out.',
  expired: 'This session has expired.',
  revoked: 'This session was revoked.',
  replaced: 'Somebody else has signed in.',
  theft: 'Your refresh token was used in two places. The session has ended for both.',
}

async function explain(reason, handle) {
  const at = Date.now()
  const words = reason === 'signed-out' && !isSigningOut ? 'You signed out in another tab.' : reasons[reason]
  ending.value = { reason, at, handle, words: words ?? 'This session has ended.' }
  const evidence = await fetch(`/demonstration/theft/${handle}`).then(response => response.json()).catch(() => null)
  if (evidence !== null) ending.value = { reason: 'theft', at, handle, words: reasons.theft, evidence }
}
