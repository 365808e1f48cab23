// The card "Catch a thief".
import { Code } from './code.js'
import { repetitionWindow } from './demonstration.js'
import { Lineage } from './lineage.js'
import { Button, clock, html, Identifier, now, Remaining, Time } from './parts.js'
import { session } from './session.js'
import {
  callAsThief, copy, evidence, isPast, isPlaying, ownPlace, play, presented, refreshAsOwner, refreshAsThief, servedAt,
  steps, story, thief,
} from './thief.js'

export function Theft() {
  if (session.value === null && thief.value === null) return null
  const isOff = session.value === null || isPlaying.value
  return html`<section class="card" aria-labelledby="theft-title">
    <div class="content">
      <h2 id="theft-title" tabindex="-1">Catch a thief</h2>
      <p>Each refresh replaces the refresh token. Two parties that go on from one copy drift apart, and the first one
        that comes with an old token gives both away. For ${repetitionWindow.value / 1000} seconds after a refresh, an
        old token counts as a repetition, as after a lost answer.</p>
      <div class="parties"><${Owner} /><${Thief} isOff=${isOff} /></div>
      <div class="row">
        <${Button} isOff=${isOff} class="primary" onClick=${() => play(refreshAsThief, refreshAsOwner)}>
          Play: the thief is quicker<//>
        <${Button} isOff=${isOff} onClick=${() => play(refreshAsOwner, refreshAsThief)}>Play: you are quicker<//>
        ${session.value === null && html`<a href="#sign-in-title">Sign in to play it again</a>`}
      </div>
      ${steps.value.length > 0 && html`
        <${Lineage} steps=${steps.value} />
        ${canRefresh() && html`<${Window} />`}
        <ol class="story">
          ${story.value.map(({ at, words, isAlarm }) => html`<li key=${at + words} class=${isAlarm ? 'alarm' : ''}>
            <span class="when">${clock(at).slice(0, 8)}</span> ${words}</li>`)}
        </ol>`}
      ${evidence.value !== null && html`<${Evidence} theft=${evidence.value} />`}
    </div>
    <${Code} card="theft" />
  </section>`
}

/** Whether the two parties can refresh by hand. */
function canRefresh() {
  return thief.value !== null && !isPast.value && presented.value === null && session.value !== null
}

function Owner() {
  const number = ownPlace.value?.generation ?? 'in a cookie'
  return html`<div class="party you">
    <h3>You, in this browser</h3>
    <p>${session.value === null ? 'Signed out' : html`Refresh token <strong>${number}</strong>`}</p>
    <${Button} isOff=${!canRefresh() || isPlaying.value} onClick=${refreshAsOwner}>Refresh as you<//>
  </div>`
}

function Thief({ isOff }) {
  if (thief.value === null || isPast.value) {
    return html`<div class="party thief">
      <h3>Thief, somewhere else</h3>
      <p>${thief.value === null ? 'Has nothing yet' : 'Has no token of your new session'}</p>
      <${Button} isOff=${isOff} onClick=${copy}>Copy the refresh token<//>
    </div>`
  }
  const { place, token, hasAccess } = thief.value
  return html`<div class="party thief">
    <h3>Thief, somewhere else</h3>
    <p>Refresh token <strong>${place.generation}</strong> <code>${token}</code><br />
      <span class=${hasAccess ? 'bad' : 'good'}>${hasAccess ? 'Has access' : 'No access any more'}</span></p>
    <div class="row">
      <${Button} isOff=${!canRefresh() || isPlaying.value} onClick=${refreshAsThief}>Refresh as the thief<//>
      <${Button} isOff=${isPlaying.value} onClick=${callAsThief}>Call as the thief<//>
    </div>
  </div>`
}

/** How long a refresh still counts as a repetition. */
function Window() {
  const left = Math.max(0, servedAt.value + repetitionWindow.value - now.value)
  const seconds = Math.ceil(left / 1000)
  return html`<div>
    <p class="countdown">${left > 0
      ? html`For <strong>${seconds} s</strong> more, a refresh is a repetition, and gets the same token again.`
      : 'From now on, the next refresh replaces the token.'}</p>
    <${Remaining} label="Time left for repetitions" left=${left} of=${repetitionWindow.value}
      words=${`${seconds} seconds`} />
  </div>`
}

function Evidence({ theft: { handle, presented: late, current, revoked } }) {
  return html`<div class="evidence">
    <h3>The evidence, as <code>onTokenTheft</code> receives it</h3>
    <dl>
      <dt>Session</dt>
      <dd><${Identifier} text=${handle} name="the session handle" /> ${revoked ? 'revoked' : 'kept'}</dd>
      <dt>Presented</dt>
      <dd>${placeOf(late)}, by ${late.name} at ${late.by.ip ?? 'an unknown address'}<br /><${Time} at=${late.at} /></dd>
      <dt>Current</dt>
      <dd>${placeOf(current)}, delivered to ${current.name} at ${current.by.ip ?? 'an unknown address'}<br />
        <${Time} at=${current.at} /></dd>
    </dl>
  </div>`
}

const placeOf = ({ generation, branch }) => `token ${generation}${branch > 0 ? `, branch ${branch}` : ''}`
