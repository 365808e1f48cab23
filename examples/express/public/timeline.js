// The card "Watch it refresh": what both tabs send, and buttons that get in the way.
import { computed, signal } from '@preact/signals'
import { burstsOf, isRefresh, kindOf } from './bursts.js'
import { Code } from './code.js'
import { demonstrate, isStopped } from './demonstration.js'
import { announce, Button, clock, html, now, Remaining } from './parts.js'
import { call, client, ending, refusedSince, session, timeLeft } from './session.js'
import { exchanges, isOffline, requests, tab, tell, traced } from './trace.js'

const bursts = computed(() => burstsOf(exchanges.value))
const tabs = computed(() => {
  const numbers = new Set([tab, ...exchanges.value.map(exchange => exchange.tab)])
  return [...numbers].toSorted((one, other) => one - other)
})
/** The access tokens so far: each from its arrival to its expiry. */
const tokens = computed(() => exchanges.value.flatMap(({ at, took, expiry, place, status }) => (
  expiry && status === 200 ? [{ from: at + took, expiry, place }] : []
)))

/** How long an access token lives at most, in milliseconds. */
const lifetime = computed(() => Math.max(1, ...tokens.value.map(({ from, expiry }) => expiry - from)))
const outcome = signal('')

const report = text => {
  outcome.value = text
  announce(text)
}

const fate = () => session.value === null ? 'The session has ended.' : 'The session is kept.'

async function callMany(count) {
  const before = exchanges.value.length
  const statuses = await call(count)
  const good = statuses.filter(status => status === 200).length
  const refreshes = exchanges.value.slice(before).filter(isRefresh).length
  const refreshed = refreshes === 0 ? 'no refresh' : `${refreshes} ${refreshes === 1 ? 'refresh' : 'refreshes'}`
  report(good === count
    ? `${count === 1 ? 'The request was' : `All ${count} requests were`} answered, with ${refreshed}.`
    : `${good} of ${count} requests were answered. ${fate()}`)
}
function callInEveryTab() {
  tell('call', 10)
  void callMany(10)
}
requests.call = count => void call(count)
requests.expired = since => refusedSince.value = since

async function refreshMany() {
  // Past the client, which would make one refresh of them: as careless pages do.
  const init = { method: 'POST', headers: { rid: 'session' } }
  const refresh = (_, number) => traced(`/auth/session/refresh?${number}`, init).catch(() => null)
  const answers = (await Promise.all(Array.from({ length: 10 }, refresh))).filter(answer => answer?.ok)
  const places = new Set(answers.map(answer => answer.headers.get('x-demonstration-place')))
  const tokens = places.size === 1 ? 'one and the same new refresh token' : `${places.size} new refresh tokens`
  report(answers.length === 0
    ? `No refresh was answered. ${fate()}`
    : `${answers.length} refreshes were answered, with ${tokens}.`)
  await client.refresh().catch(() => false)
}

async function expire() {
  await demonstrate('POST', '/demonstration/expire')
  refusedSince.value = Date.now()
  tell('expired', refusedSince.value)
  report('The server refuses this access token from now on. Send a request.')
}

async function lose() {
  await demonstrate('POST', '/demonstration/lose')
  report('The next refresh is answered, but its answer will be lost. Expire the token and send a request.')
}

function setOffline(event) {
  isOffline.value = event.currentTarget.checked
  report(isOffline.value ? 'This tab is offline.' : 'This tab is online again.')
  // As the browser does: the client tries again at once.
  if (!isOffline.value) dispatchEvent(new Event('online'))
}

async function setDatabase(event) {
  isStopped.value = event.currentTarget.checked
  await demonstrate('PUT', '/demonstration/database', { isStopped: isStopped.value })
  report(isStopped.value
    ? 'The database is stopped. Requests are still answered; a refresh is not.'
    : 'The database runs again.')
}

export function Timeline() {
  const isOff = session.value === null
  if (isOff && exchanges.value.length === 0) return null
  return html`<section class="card" aria-labelledby="refresh-title">
    <div class="content">
      <h2 id="refresh-title" tabindex="-1">Watch it refresh</h2>
      <p>An access token lives up to 30 seconds here. Then the server answers 401, the client refreshes once for all
        tabs, and repeats what was refused.</p>
      <${Plot} />
      <div class="controls">
        <fieldset>
          <legend>Send requests</legend>
          <${Button} isOff=${isOff} class="primary" onClick=${() => callMany(1)}>Call a protected route<//>
          <${Button} isOff=${isOff} onClick=${() => callMany(10)}>10 calls at once<//>
          <${Button} isOff=${isOff} onClick=${callInEveryTab}>10 calls in every tab<//>
          <${Button} isOff=${isOff} onClick=${refreshMany}>10 refreshes at once<//>
        </fieldset>
        <fieldset>
          <legend>Get in the way</legend>
          <${Button} isOff=${isOff} onClick=${expire}>Expire the access token<//>
          <${Button} isOff=${isOff} onClick=${lose}>Lose the next answer<//>
          <${Switch} isOn=${isOffline.value} onChange=${setOffline}>Offline<//>
          <${Switch} isOn=${isStopped.value} onChange=${setDatabase}>Database stopped<//>
        </fieldset>
      </div>
      <p class="outcome">${outcome.value}</p>
      <p class="hint">To see how tabs share one refresh, <a href="/" target="_blank">open a second tab</a> beside this
        one.</p>
      <${Log} />
    </div>
    <${Code} card="refresh" />
  </section>`
}

function Switch({ isOn, onChange, children }) {
  return html`<label class="switch">
    <input type="checkbox" role="switch" checked=${isOn} onChange=${onChange} /> ${children}
  </label>`
}

const PAST = 30_000
const FUTURE = 15_000

/** The last 30 seconds and the next 15: the lives of the access tokens, and the requests of each tab. */
function Plot() {
  const percent = at => ((at - now.value + PAST) / (PAST + FUTURE)) * 100
  const isSeen = (from, to) => percent(to) > 0 && percent(from) < 100
  const shown = tokens.value.filter(({ from, expiry }) => isSeen(from, expiry))
  const left = timeLeft()
  const ended = session.value === null ? ending.value?.at ?? Infinity : Infinity
  return html`<div>
    <p class="countdown">${countdownWords(left)}</p>
    ${session.value !== null && html`<${Remaining} label="Time left on the access token" left=${left}
      of=${lifetime.value} words=${`${Math.ceil(left / 1000)} seconds`} />`}
    <div class="plot" aria-hidden="true">
      <span class="lane">Tokens</span>
      <div class="track">
        ${shown.map(({ from, expiry, place }, index) => {
          const end = Math.min(expiry, shown[index + 1]?.from ?? ended)
          const start = Math.max(0, percent(from))
          const isPast = end <= now.value || (left === 0 && index === shown.length - 1)
          return html`<span key=${from} class=${`token ${isPast ? 'past' : ''}`}
            style=${{ left: `${start}%`, width: `${Math.max(0, Math.min(100, percent(end)) - start)}%` }}>
            ${place ? place.split('.')[0] : ''}</span>`
        })}
      </div>
      ${tabs.value.map(number => html`
        <span class="lane" key=${`name ${number}`}>Tab ${number}${number === tab ? ' (this)' : ''}</span>
        <div class="track" key=${number}>
          ${bursts.value.filter(({ tab: other, at }) => other === number && isSeen(at, at)).map(burst => html`
            <${Stack} key=${burst.id} burst=${burst} left=${percent(burst.at)} />`)}
        </div>`)}
      <span></span>
      <div class="axis">
        <span style=${{ left: '0%' }}>−30 s</span>
        <span style=${{ left: '33.3%' }}>−15 s</span>
        <span style=${{ left: '66.7%' }}>now</span>
        <span style=${{ left: '100%' }}>+15 s</span>
      </div>
      <div class="now"><i></i></div>
    </div>
    <ul class="legend" aria-hidden="true">
      <li><i class="mark answered"></i> answered</li>
      <li><i class="mark refused"></i> refused (401)</li>
      <li><i class="mark refreshed"></i> refreshed</li>
      <li><i class="mark failed"></i> no answer</li>
    </ul>
  </div>`
}

function Stack({ burst, left }) {
  const counts = new Map()
  for (const kind of burst.exchanges.map(kindOf)) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  const kinds = ['refused', 'failed', 'refreshed', 'answered', 'pending'].filter(kind => counts.has(kind))
  return html`<span class="stack" style=${{ left: `${left}%` }}>
    ${kinds.map(kind => html`
      <span key=${kind}><i class=${`mark ${kind}`}></i>${counts.get(kind) > 4 ? counts.get(kind) : ''}</span>`)}
  </span>`
}

function countdownWords(left) {
  if (session.value === null) return 'Nobody is signed in.'
  if (left > 0) return html`The access token expires in <strong>${Math.ceil(left / 1000)} s</strong>.`
  return html`The access token <strong>has expired</strong>. The next request refreshes it.`
}

const SHOWN = 8

function Log() {
  const rows = bursts.value.toReversed().slice(0, SHOWN)
  if (rows.length === 0) return html`<p class="hint">No request yet.</p>`
  return html`<ol class="log" aria-label="The latest requests, newest first">
    ${rows.map(({ id, at, tab: number, steps, words }) => html`<li key=${id}>
      <span class="when"><span class=${`badge tab-${number % 2}`}>Tab ${number}</span> ${clock(at)}</span>
      <span class="steps">
        ${steps.map((step, index) => html`<${Step} key=${index} ...${step} isFirst=${index === 0} />`)}
      </span>
      ${words && html`<span class="hint">${words}</span>`}
    </li>`)}
  </ol>`
}

function Step({ kind, method, path, status, took, place, isRepeat, count, isFirst }) {
  const name = isRefresh({ path }) ? 'refresh' : `${method} ${shorten(path)}`
  const result = { pending: '…', failed: status || 'no answer' }[kind] ?? status
  return html`
    ${!isFirst && html`<span class="arrow" aria-label="then">→</span>`}
    <span class=${`step ${kind}`}>
      ${count > 1 && html`<b>${count} ×</b> `}${isRepeat && 'again '}${name} <b>${result}</b>
      ${kind === 'refreshed' && place && html` <small>token ${place.split('.')[0]}</small>`}
      ${took !== null && count === 1 && html` <small>${Math.max(1, Math.round(took))} ms</small>`}
    </span>`
}

const shorten = path => path.replace(/^\/devices\/.{8,}$/, '/devices/…')
