// The session of this page: Keyturn's client as plain modules, without a build step.
import { signal } from '@preact/signals'
import { createClient, createDevices } from 'keyturn/client'
import { now } from './parts.js'
import { exchanges, tab, traced } from './trace.js'

export const client = createClient({ fetch: traced })
export const devices = createDevices(client, { path: '/devices' })

/** A `fetch` that sends the session, and refreshes it when needed, once for all tabs. */
export const request = client.fetch

/** The session: null if nobody is signed in. */
export const session = signal(client.peekSession() ?? null)
/** When the server was made to refuse the access token of that moment; null if it was not. */
export const refusedSince = signal(null)
/** Why the last session of this page ended; null if it did not. */
export const ending = signal(null)

/** How long the access token can be used, in milliseconds: 0 if it has expired or the server refuses it. */
export function timeLeft() {
  const newest = exchanges.value.findLast(({ expiry }) => expiry)?.at ?? 0
  if (refusedSince.value > newest) return 0
  return Math.max(0, (session.value?.expiry ?? 0) - now.value)
}

let isSigningOut = false

// Called when the session begins, changes, is refreshed or ends, in this tab or in another.
client.onChange((next, previous) => {
  if (next === null && previous !== null) void explain(previous.handle)
  else if (next !== null) ending.value = null
  session.value = next
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
    return { ok: false, answer: null, reason: error.status === 503 ? databaseDown : noAnswer }
  }
}

const databaseDown = 'The database does not answer. Your session is kept. Try again in a moment.'
const noAnswer = 'The server cannot be reached. Your session is kept. Try again when you are online.'

export async function signOut() {
  isSigningOut = true
  try {
    await client.signOut()
    return ''
  } catch (error) {
    return error.status === 503 ? databaseDown : noAnswer
  } finally {
    isSigningOut = false
  }
}

async function explain(handle) {
  const at = Date.now()
  const signedOutBy = exchanges.value.findLast(({ path }) => path === '/auth/signout')
  if (isSigningOut || (signedOutBy !== undefined && at - signedOutBy.at < 3000)) {
    const elsewhere = isSigningOut || signedOutBy.tab === tab ? '' : ` in tab ${signedOutBy.tab}`
    ending.value = { kind: 'signed-out', at, handle, words: `You signed out${elsewhere}.` }
    return
  }
  ending.value = { kind: 'revoked', at, handle, words: 'This session was revoked, or it expired.' }
  const evidence = await fetch(`/demonstration/theft/${handle}`).then(response => response.json()).catch(() => null)
  if (evidence !== null) {
    const words = 'Your refresh token was used in two places. The session has ended for both.'
    ending.value = { kind: 'theft', at, handle, words, evidence }
  }
}
