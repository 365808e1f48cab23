// The page of the example: Preact and htm as plain modules, without a build step.
import { effect, signal } from '@preact/signals'
import { render } from 'preact'
import { Code } from './code.js'
import { isStopped } from './demonstration.js'
import { onRevoked } from './live.js'
import { announce, focusOn, html, Identifier, Problem } from './parts.js'
import { client, ending, request, send, session, signOut, timeLeft } from './session.js'

/** The module `cards.js`, once there was a session. */
const cards = signal(null)

function App() {
  const { Timeline, Theft, Devices, Data } = cards.value ?? {}
  return html`
    ${session.value !== null && html`<${Contents} />`}
    <main>
      <p class="answer">${answer()}</p>
      ${isStopped.value && html`<${Problem}>The database is stopped. Requests with a valid access token are still
        answered; refreshes, sign-ins and changes are not. Every session is kept.<//>`}
      ${session.value === null ? html`<${SignIn} />` : html`<${Account} />`}
      ${cards.value !== null && html`<${Timeline} /><${Theft} /><${Devices} /><${Data} />`}
    </main>`
}

/** What a visitor comes for, in one sentence. */
function answer() {
  if (session.value === null) {
    return ending.value === null
      ? 'Sign in with any name to see what a session goes through.'
      : `${ending.value.words} Sign in to start again.`
  }
  const count = cards.value?.deviceCount() ?? null
  const left = Math.ceil(timeLeft() / 1000)
  return html`<bdi class="name">${session.value.userId}</bdi> is signed in
    ${count === null ? '' : ` on ${count} ${count === 1 ? 'device' : 'devices'}`}.${' '}
    ${left > 0
      ? `The access token expires in ${left} s.`
      : 'The access token has expired: the next request refreshes it.'}`
}

const Contents = () => html`<nav aria-label="On this page">
  <a href="#refresh-title">Refresh</a>
  <a href="#theft-title">Theft</a>
  <a href="#devices-title">Devices</a>
  <a href="#data-title">Data</a>
</nav>`

const name = signal('ada')
const problem = signal('')

async function signIn(event) {
  event.preventDefault()
  const { ok, reason } = await send('POST', '/login', { userId: name.value })
  problem.value = ok ? '' : reason
  announce(ok ? `Signed in as ${name.value}` : reason)
}

function SignIn() {
  return html`<section class="card" aria-labelledby="sign-in-title">
    <form class="content" novalidate onSubmit=${signIn}>
      <h2 id="sign-in-title" tabindex="-1">Sign in</h2>
      <label for="name">Your name</label>
      ${problem.value && html`<${Problem} id="name-problem">${problem.value}<//>`}
      <div class="row">
        <input id="name" value=${name.value} onInput=${event => name.value = event.currentTarget.value} maxlength="200"
          autocomplete="username" dir="auto" aria-describedby=${problem.value ? 'name-problem name-hint' : 'name-hint'}
          aria-invalid=${problem.value ? 'true' : undefined} />
        <button class="primary">Sign in</button>
      </div>
      <p id="name-hint" class="hint">Any name will do: a real application checks a password here.</p>
      <ul class="promises">
        <li><strong>Refresh.</strong> Access tokens live 30 seconds here. See ten requests in two tabs share one
          refresh.</li>
        <li><strong>Theft.</strong> Copy your refresh token to a thief, go on in both places, and see who is
          caught.</li>
        <li><strong>Revocation.</strong> Sign a second device out, and see its page end within milliseconds.</li>
      </ul>
    </form>
    <${Code} card="session" />
  </section>`
}

function Account() {
  const { userId, handle } = session.value
  return html`<section class="card plain" aria-labelledby="account-title">
    <div class="content">
      <div class="spread">
        <h2 id="account-title" tabindex="-1">Your session</h2>
        <button onClick=${async () => announce(await signOut())}>Sign out</button>
      </div>
      <dl>
        <dt>User id</dt><dd id="user-id"><bdi>${userId}</bdi></dd>
        <dt>Handle</dt><dd><${Identifier} text=${handle} name="the session handle" /></dd>
      </dl>
    </div>
  </section>`
}

// Listens for the end of the session while the page is visible: browsers allow six connections to a server.
let stop = () => {}
let heardHandle = null
function listen() {
  const handle = document.visibilityState === 'visible' ? session.peek()?.handle ?? null : null
  if (handle === heardHandle) return
  heardHandle = handle
  stop()
  stop = handle === null ? () => {} : onRevoked(request, () => void client.refresh().catch(() => {}))
}
addEventListener('visibilitychange', listen)

let shownHandle = session.peek()?.handle ?? null
effect(() => {
  const handle = session.value?.handle ?? null
  listen()
  if (handle === shownHandle) return
  shownHandle = handle
  // The card that had the focus may be gone.
  const had = document.activeElement
  requestAnimationFrame(() => {
    const isLost = had === null || had === document.body || !had.isConnected
    if (isLost) focusOn(handle === null ? 'sign-in-title' : 'account-title')
  })
})
effect(() => {
  if (session.value !== null && cards.peek() === null) void import('./cards.js').then(module => cards.value = module)
})
effect(() => {
  if (ending.value !== null) announce(ending.value.words)
})

render(html`<${App} />`, document.getElementById('app'))
