// The theft: the server copies this browser's cookies, as a thief would, and both go on from them.
import { computed, signal } from '@preact/signals'
import { demonstrate, repetitionWindow } from './demonstration.js'
import { announce } from './parts.js'
import { client, ending, session } from './session.js'
import { exchanges } from './trace.js'

/** The thief: the place and a shortened text of the token that it has, and whether it has access. */
export const thief = signal(null)
/** The session that the thief has a token of. */
export const stolenHandle = signal(null)
/** What happened since the token was copied: { at, words, isAlarm }. */
export const story = signal([])
/** Who got which token, for the drawing. */
export const steps = signal([])
/** Who presented the token that gave the theft away; null if nobody has. */
export const presented = signal(null)
/** What the application learns of the theft. */
export const evidence = signal(null)
/** Whether the story plays by itself. */
export const isPlaying = signal(false)
/** When a new token was delivered. */
export const servedAt = signal(0)

const copied = signal(null)
/** The place of this browser's token: that of the last answer that set one. */
export const ownPlace = computed(() => readPlace(exchanges.value.findLast(({ place }) => place)?.place) ?? copied.value)

function readPlace(text) {
  if (text === undefined) return null
  const [generation, branch] = text.split('.').map(Number)
  return { generation, branch }
}

function tell(words, isAlarm = false) {
  story.value = [...story.value, { at: Date.now(), words, isAlarm }]
  announce(words)
}

/** Adds a token to the drawing. Returns whether neither of the two had it before. */
function grow(party, place) {
  const { generation, branch } = place
  const isNew = !steps.value.some(step => step.place.generation === generation && step.place.branch === branch)
  steps.value = [...steps.value, { party, place, kind: isNew ? 'child' : 'same' }]
  if (isNew) servedAt.value = Date.now()
  return isNew
}

/** How old a token is beside the newest one, in words. */
function ageOf({ generation }, newest) {
  const age = newest.generation - generation
  return age === 1 ? 'its parent' : `${age} generations old`
}

function presentOld(party, place) {
  presented.value = party
  steps.value = [...steps.value, { party, place, kind: 'theft' }]
}

export async function copy() {
  await client.getSession().catch(() => null)
  const { ok, message, handle, place, token } = await demonstrate('POST', '/auth/session/refresh/copy')
  if (!ok) return tell(`The token could not be copied: ${message}.`, true)
  stolenHandle.value = handle
  thief.value = { place, token, hasAccess: true }
  copied.value = place
  story.value = []
  steps.value = [{ party: 'you', place, kind: 'first' }, { party: 'thief', place, kind: 'copy' }]
  evidence.value = null
  presented.value = null
  tell(`The thief copied your refresh token, number ${place.generation}. Both of you have it now.`)
}

export async function refreshAsThief() {
  const had = thief.value.place
  const { status, message, place, token } = await demonstrate('POST', '/demonstration/thief/refresh')
  if (status === 200) {
    thief.value = { place, token, hasAccess: true }
    tell(grow('thief', place)
      ? `The thief refreshed and got token ${place.generation}. Yours is now ${ageOf(ownPlace.value, place)}.`
      : `The thief refreshed and got token ${place.generation} again: within the window this looks like a repetition.`)
    return
  }
  if (message !== 'token theft detected') return tell(`The thief was refused: ${status}, ${message}.`)
  thief.value = { ...thief.value, hasAccess: false }
  presentOld('thief', had)
  tell(`Caught: the thief presented token ${had.generation}, although a newer one was in use.`, true)
}

export async function refreshAsOwner() {
  const had = ownPlace.value
  const isSignedIn = await client.refresh().catch(() => null)
  if (isSignedIn === null) return tell('There was no answer. The session is kept.')
  if (isSignedIn) {
    const place = ownPlace.value
    tell(grow('you', place)
      ? `You refreshed and got token ${place.generation}. The thief’s is now ${ageOf(thief.value.place, place)}.`
      : `You refreshed and got token ${place.generation} again: within the window this looks like a repetition.`)
  } else if (presented.value === null) {
    presentOld('you', had)
    tell(`Caught: you presented token ${had.generation}, although a newer one was in use.`, true)
  }
}

export async function callAsThief() {
  const { status } = await demonstrate('POST', '/demonstration/thief/call')
  thief.value = { ...thief.value, hasAccess: status === 200 }
  const result = status === 200 ? ', and was answered' : `: ${status}`
  tell(`The thief called a protected route${result}.`)
}

const MARGIN = 300

function untilRefreshReplaces() {
  const left = servedAt.value + repetitionWindow.value + MARGIN - Date.now()
  return new Promise(resolve => setTimeout(resolve, Math.max(0, left)))
}

/** Plays the whole story. `first` goes on from the token twice; then `second` comes with the old one. */
export async function play(first, second) {
  isPlaying.value = true
  try {
    await copy()
    // A token that was delivered a moment ago is repeated, not replaced.
    servedAt.value = Date.now()
    for (const act of [first, first, second]) {
      await untilRefreshReplaces()
      await act()
    }
  } finally {
    isPlaying.value = false
  }
}

// When the theft ends the session, its evidence arrives.
ending.subscribe(end => {
  if (end?.evidence === undefined || end.handle !== stolenHandle.peek() || evidence.peek() !== null) return
  evidence.value = end.evidence
  thief.value = { ...thief.peek(), hasAccess: false }
  tell('The session has ended for both. The application gets the event onTokenTheft.', true)
})

/** Whether the thief's token is of an earlier session. */
export const isPast = computed(() => session.value !== null && session.value.handle !== stolenHandle.value)
