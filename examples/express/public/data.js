// The card "What a session carries": the JWT payload and the session data, to look at and to change.
import { effect, signal } from '@preact/signals'
import { Code } from './code.js'
import { announce, html, Problem } from './parts.js'
import { send, session } from './session.js'

const payload = { text: signal('{"role":"reader"}'), problem: signal(''), state: signal('') }
const info = { text: signal(''), problem: signal(''), state: signal('') }

let shownHandle = null
effect(() => {
  const handle = session.value?.handle ?? null
  if (handle === shownHandle) return
  shownHandle = handle
  if (handle !== null) void load()
})

async function load() {
  const [me, stored] = await Promise.all([send('GET', '/me'), send('GET', '/info')])
  if (me.ok) payload.text.value = JSON.stringify(me.answer.jwtPayload)
  if (stored.ok) info.text.value = JSON.stringify(stored.answer)
  for (const [field, { ok, reason }] of [[payload, me], [info, stored]]) {
    field.problem.value = ok ? '' : reason
    field.state.value = ''
  }
}

async function save(field, method, path) {
  field.state.value = ''
  let value
  try {
    value = JSON.parse(field.text.value)
  } catch (error) {
    return refuse(field, `This is not JSON: ${error.message}.`)
  }
  const { ok, reason } = await send(method, path, value)
  if (!ok) return refuse(field, reason)
  field.problem.value = ''
  field.state.value = `Saved at ${new Date().toLocaleTimeString('en-GB')}`
  announce(field.state.value)
}

function refuse(field, reason) {
  field.problem.value = reason
  announce(`Not saved. ${reason}`)
}

export function Data() {
  if (session.value === null) return null
  return html`<section class="card" aria-labelledby="data-title">
    <div class="content">
      <h2 id="data-title" tabindex="-1">What a session carries</h2>
      <div class="editors">
        <${Editor} id="payload" label="JWT payload" hint="In the access token: no database call." field=${payload}
          save=${() => save(payload, 'POST', '/payload')} />
        <${Editor} id="info" label="Session info" hint="In the database: one call." field=${info}
          save=${() => save(info, 'PUT', '/info')} />
      </div>
    </div>
    <${Code} card="data" />
  </section>`
}

function Editor({ id, label, hint, field, save: submit }) {
  const describedBy = `${id}-hint${field.problem.value ? ` ${id}-problem` : ''}`
  const onSubmit = event => {
    event.preventDefault()
    void submit()
  }
  return html`<form id=${`${id}-form`} novalidate onSubmit=${onSubmit}>
    <label for=${id}>${label}</label>
    <p id=${`${id}-hint`} class="hint">${hint}</p>
    ${field.problem.value && html`<${Problem} id=${`${id}-problem`}>${field.problem.value}<//>`}
    <textarea id=${id} rows="3" spellcheck="false" value=${field.text.value} aria-describedby=${describedBy}
      aria-invalid=${field.problem.value ? 'true' : undefined}
      onInput=${event => field.text.value = event.currentTarget.value}></textarea>
    <div class="row">
      <button>Save<span class="visually-hidden"> the ${label}</span></button>
      <span class="hint">${field.state.value}</span>
    </div>
  </form>`
}
