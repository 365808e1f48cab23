// The card "Catch a thief": the server copies this browser's cookies, as a thief would, and both go on from them.
import { computed, signal } from '@preact/signals'
import { Code } from './code.js'
import { Lineage } from './lineage.js'
import { announce, Button, clock, html, Identifier, now, Remaining, Time } from './parts.js'
import { client, ending, session } from './session.js'
import { exchanges } from './trace.js'

/** The thief: the place and a shortened text of the token that it has, and whether it has access. */
const thief = signal(null)
/** What happened since the token was copied: { at, words, alarm }. */
const story = signal([])
/** Who got which token, for the drawing. */
const steps = signal([])
const evidence = signal(null)
/** Who presented the token that gave the theft away. */
const presented = signal(null)
const isPlaying = signal(false)
/** The place of this browser's token: that of the last answer that set one. */
const ownPlace = computed(() => {
  const last = exchanges.value.findLast(({ place }) => place)?.place
  return last === undefined ? startPlace.value : readPlace(last)
})
const startPlace = signal(null)
let servedAt = 0
/** The session that the thief has a token of. */
const stolenHandle = signal(null)

/** The reuse interval of the example, in milliseconds; a repetition is answered for twice as long. */
const WINDOW = signal(6000)
fetch('/demonstration/state').then(async response => WINDOW.value = (await response.json()).repetitionWindow).catch(() => {})

const readPlace = text => {
  const [generation, branch] = text.split('.').map(Number)
  return { generation, branch }
}

function tellStory(words, alarm = false) {
  story.value = [...story.value, { at: Date.now(), words, alarm }]
  announce(words)
}

/** Adds a token to the drawing. Returns whether neither of the two had it before. */
function grow(party, place) {
  const isNew = !steps.value.some(step => step.place.generation === place.generation && step.place.branch === place.branch)
  steps.value = [...steps.value, { party, place, kind: isNew ? 'child' : 'same' }]
  return isNew
}

async function post(path) {
  const response = await fetch(path, { method: 'POST' })
  return { ok: response.ok, ...await response.json() }
}

async function copy() {
  await client.getSession()
  const loot = await post('/auth/session/refresh/copy')
  if (!loot.ok) return tellStory(`The token could not be copied: ${loot.message}.`, true)
  stolenHandle.value = loot.handle
  thief.value = { ...loot, hasAccess: true }
  startPlace.value = loot.place
  story.value = []
  steps.value = [{ party: 'you', place: loot.place, kind: 'first' }, { party: 'thief', place: loot.place, kind: 'copy' }]
  evidence.value = null
  presented.value = null
  tellStory(`The thief copied your refresh token, number ${loot.place.generation}. Both of you have it now.`)
}

async function refreshAsThief() {
  const { status, message, place, token } = await post('/demonstration/thief/refresh')
  if (status === 200) {
    const isNew = grow('thief', place)
    if (isNew) servedAt = Date.now()
    thief.value = { ...thief.value, place, token }
    tellStory(isNew
      ? `The thief refreshed and got token ${place.generation}. Yours is now its parent.`
      : `The thief refreshed and got token ${place.generation} again: within the window this looks like a repetition.`)
  } else {
    const isTheft = message === 'token theft detected'
    thief.value = { ...thief.value, hasAccess: false }
    if (isTheft) presentOld('thief', thief.value.place)
    tellStory(isTheft
      ? `Caught: the thief presented token ${thief.value.place.generation}, although a newer one was in use.`
      : `The thief was refused: ${status}, ${message}.`, isTheft)
    if (isTheft) await client.refresh().catch(() => false)
  }
}

async function refreshAsOwner() {
  const before = ownPlace.value
  const isSignedIn = await client.refresh().catch(() => null)
  if (isSignedIn === null) return tellStory('There was no answer. The session is kept.')
  if (isSignedIn) {
    const isNew = grow('you', ownPlace.value)
    if (isNew) servedAt = Date.now()
    tellStory(isNew
      ? `You refreshed and got token ${ownPlace.value.generation}. The thief’s is now its parent.`
      : `You refreshed and got token ${ownPlace.value.generation}: within the window this looks like a repetition.`)
  } else if (presented.value === null) {
    presentOld('you', before)
    tellStory(`Caught: you presented token ${before.generation}, although a newer one was in use.`, true)
  }
}

function presentOld(party, place) {
  presented.value = party
  steps.value = [...steps.value, { party, place, kind: 'theft' }]
}

async function callAsThief() {
  const { status } = await post('/demonstration/thief/call')
  thief.value = { ...thief.value, hasAccess: status === 200 }
  tellStory(status === 200 ? 'The thief called a protected route, and was answered.' : `The thief called a protected route: ${status}.`)
}

const untilWindowIsOver = () => new Promise(resolve => setTimeout(resolve, Math.max(0, servedAt + WINDOW.value + 300 - Date.now())))

/** Plays the whole story. `first` goes on from the token twice, then `second` comes with the old one. */
async function play(first, second) {
  isPlaying.value = true
  try {
    await copy()
    // A token that was delivered a moment ago is repeated, not replaced: wait until it is.
    servedAt = Date.now()
    await untilWindowIsOver()
    await first()
    await untilWindowIsOver()
    await first()
    await untilWindowIsOver()
    await second()
  } finally {
    isPlaying.value = false
  }
}

// When the session ends by the theft, the evidence arrives.
ending.subscribe(end => {
  if (end?.kind !== 'theft' || end.handle !== stolenHandle.peek() || evidence.peek() !== null) return
  evidence.value = end.evidence
  if (thief.peek() !== null) thief.value = { ...thief.peek(), hasAccess: false }
  tellStory('The session has ended for both. The application gets the event onTokenTheft.', true)
})

export function Theft() {
  if (session.value === null && thief.value === null) return null
  const isOn = thief.value !== null && presented.value === null && session.value !== null
  const isOther = session.value !== null && session.value.handle !== stolenHandle.value
  const isOff = session.value === null || isPlaying.value
  const left = servedAt + WINDOW.value - now.value
  return html`<section class="card" aria-labelledby="theft-title">
    <div class="content">
      <h2 id="theft-title" tabindex="-1">Catch a thief</h2>
      <p>Each refresh replaces the refresh token. Two parties that go on from one copy drift apart, and the first one that
        comes with an old token gives both away. For ${WINDOW.value / 1000} seconds after a refresh, an old token counts as a
        repetition, as after a lost answer.</p>
      <div class="parties">
        <div class="party you">
          <h3>You, in this browser</h3>
          <p>${session.value === null ? 'Signed out' : html`Refresh token <strong>${ownPlace.value?.generation ?? 'in a cookie'}</strong>`}</p>
          <${Button} isOff=${!isOn || isPlaying.value} onClick=${refreshAsOwner}>Refresh as you<//>
        </div>
        <div class="party thief">
          <h3>Thief, somewhere else</h3>
          ${thief.value === null || isOther
            ? html`<p>${isOther ? 'Has no token of your new session' : 'Has nothing yet'}</p><${Button} isOff=${isOff} onClick=${copy}>Copy the refresh token<//>`
            : html`<p>Refresh token <strong>${thief.value.place.generation}</strong> <code>${thief.value.token}</code><br />
                <span class=${thief.value.hasAccess ? 'bad' : 'good'}>${thief.value.hasAccess ? 'Has access' : 'No access any more'}</span></p>
              <div class="row">
                <${Button} isOff=${!isOn || isPlaying.value} onClick=${refreshAsThief}>Refresh as the thief<//>
                <${Button} isOff=${isPlaying.value} onClick=${callAsThief}>Call as the thief<//>
              </div>`}
        </div>
      </div>
      <div class="row">
        <${Button} isOff=${isOff} class="primary" onClick=${() => play(refreshAsThief, refreshAsOwner)}>Play: the thief is quicker<//>
        <${Button} isOff=${isOff} onClick=${() => play(refreshAsOwner, refreshAsThief)}>Play: you are quicker<//>
        ${session.value === null && html`<a href="#sign-in-title">Sign in to play it again</a>`}
      </div>
      ${steps.value.length > 0 && !(isOther && isPlaying.value) && html`
        <${Lineage} steps=${steps.value} />
        ${isOn && html`
          <p class="countdown">${left > 0
            ? html`Repetitions are answered for <strong>${Math.ceil(left / 1000)} s</strong> more.`
            : 'From now on, the next refresh replaces the token.'}</p>
          <${Remaining} label="Time left for repetitions" left=${left} of=${WINDOW.value} words=${`${Math.max(0, Math.ceil(left / 1000))} seconds`} />`}
        <ol class="story">
          ${story.value.map(({ at, words, alarm }) => html`<li key=${at + words} class=${alarm ? 'alarm' : ''}>
            <span class="when">${clock(at).slice(0, 8)}</span> ${words}</li>`)}
        </ol>`}
      ${evidence.value !== null && html`<${Evidence} theft=${evidence.value} />`}
    </div>
    <${Code} card="theft" />
  </section>`
}

function Evidence({ theft: { handle, presented: late, current, revoked } }) {
  return html`<div class="evidence">
    <h3>The evidence, as <code>onTokenTheft</code> receives it</h3>
    <dl>
      <dt>Session</dt><dd><${Identifier} text=${handle} name="the session handle" /> ${revoked ? 'revoked' : 'kept'}</dd>
      <dt>Presented</dt><dd>token ${late.generation}${late.branch > 0 ? `, branch ${late.branch}` : ''}, by ${late.name} at ${late.by.ip ?? 'an unknown address'}<br /><${Time} at=${late.at} /></dd>
      <dt>Current</dt><dd>token ${current.generation}${current.branch > 0 ? `, branch ${current.branch}` : ''}, delivered to ${current.name} at ${current.by.ip ?? 'an unknown address'}<br /><${Time} at=${current.at} /></dd>
    </dl>
  </div>`
}
