// The page of the example: plain modules, no build step.
import { client, devices, request } from './session.js'

const $ = id => document.getElementById(id)
let session = null
let lifetime = 1

function show(next) {
  if (next !== null) lifetime = Math.max(1, next.expiry - Date.now(), next.handle === session?.handle ? lifetime : 1)
  session = next
  $('signed-in').hidden = next === null
  $('signed-out').hidden = next !== null
  if (next === null) return
  $('user-id').textContent = next.userId
  $('handle').textContent = next.handle
  $('started').textContent = new Date(next.timeCreated).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' })
  $('payload').elements.json.value = JSON.stringify(next.jwtPayload)
}

async function json(method, path, body) {
  try {
    const response = await request(path, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    if (response.status === 401) show(null)
    return { ok: response.ok, body: await response.json() }
  } catch ({ message }) {
    // The device is offline or the server is down: the session is kept.
    return { ok: false, body: { message } }
  }
}

async function load() {
  const me = await json('GET', '/me')
  if (!me.ok) return
  show(me.body)
  $('info').elements.json.value = JSON.stringify((await json('GET', '/info')).body)
  await loadDevices()
}

async function loadDevices() {
  $('devices').replaceChildren(...(await devices.list()).map(deviceRow))
}

function deviceRow(device) {
  const row = document.createElement('li')
  const text = document.createElement('span')
  text.textContent = device.current ? 'This browser' : browserName(device.userAgent)
  const when = document.createElement('small')
  when.textContent = `${device.ip ?? 'unknown address'}, since ${new Date(device.createdAt).toLocaleString()}`
  text.append(when)
  const button = document.createElement('button')
  button.textContent = 'Revoke'
  button.onclick = async () => {
    await devices.revoke(device.handle)
    await load()
  }
  row.append(text, button)
  return row
}

function browserName(userAgent) {
  return /Firefox|Edg|Chrome|Safari/.exec(userAgent ?? '')?.[0] ?? 'Another device'
}

function parse(field) {
  try {
    return JSON.parse(field.value)
  } catch {
    field.setCustomValidity('This is not JSON')
    field.reportValidity()
    return null
  }
}

$('login').onsubmit = async event => {
  event.preventDefault()
  await json('POST', '/login', { userId: $('name').value })
}

// Called when the session begins, changes or ends, in this tab or in another.
client.onChange((view, previous) => {
  if (view.session === null) show(null)
  else if (view.session.handle !== previous.session?.handle) void load()
})

$('call').onclick = async () => {
  const started = performance.now()
  const me = await json('GET', '/me')
  if (!me.ok) return
  show(me.body)
  $('called').textContent = `answered for ${me.body.userId} in ${Math.round(performance.now() - started)} ms`
}

function onChange(form, method, path, then = () => {}) {
  const field = form.elements.json
  field.oninput = () => field.setCustomValidity('')
  form.onsubmit = async event => {
    event.preventDefault()
    const value = parse(field)
    if (value === null) return
    const { ok, body } = await json(method, path, value)
    if (ok) then(body)
    form.querySelector('output').value = ok ? `changed at ${new Date().toLocaleTimeString()}` : body.message
  }
}
onChange($('payload'), 'POST', '/payload', show)
onChange($('info'), 'PUT', '/info')

$('signout').onclick = () => client.signOut()

// In milliseconds: more than two reuse intervals of a brief session (1 s each).
const DEMONSTRATION_PAUSE = 2500

// A session in header mode, so that this page can read the tokens.
$('steal').onclick = async ({ target }) => {
  target.disabled = true
  $('theft-log').replaceChildren()
  const report = (text, alarm = false) => {
    const line = document.createElement('li')
    line.textContent = text
    line.className = alarm ? 'alarm' : ''
    $('theft-log').append(line)
  }
  const refresh = token => fetch('/auth/session/refresh', {
    method: 'POST', credentials: 'omit', headers: { rid: 'session', authorization: `Bearer ${token}` },
  })

  const login = await fetch('/login', {
    method: 'POST', credentials: 'omit',
    headers: { 'content-type': 'application/json', 'st-auth-mode': 'header' },
    body: JSON.stringify({ userId: session?.userId ?? 'ada', brief: true }),
  })
  const stolen = login.headers.get('st-refresh-token')
  report('Logged in. The thief copies the refresh token.')
  const second = (await refresh(stolen)).headers.get('st-refresh-token')
  report('The owner refreshes: the copied token is now the parent of the current one. Its use could be a repetition.')
  await new Promise(resolve => setTimeout(resolve, DEMONSTRATION_PAUSE))
  const third = (await refresh(second)).headers.get('st-refresh-token')
  report('Two reuse intervals later the owner refreshes again: the copied token is two generations old.')
  const replay = await refresh(stolen)
  report(`The thief presents it: ${replay.status} “${(await replay.json()).message}”.`, true)
  const owner = await refresh(third)
  report(`The owner’s newest token: ${owner.status} “${(await owner.json()).message}”. Both lose the session.`, true)
  if (session !== null) await loadDevices()
  target.disabled = false
}

setInterval(() => {
  if (session === null) return
  const left = (client.expiry() ?? session.expiry) - Date.now()
  $('expiry').textContent = left > 0 ? `expires in ${Math.ceil(left / 1000)} s` : 'expired; the next call refreshes it'
  $('remaining').value = Math.min(1, Math.max(0, left / lifetime))
}, 250)

await load()
