// The card "Your devices": a list with names, how to sign them out, and second devices to try it on.
import { effect, signal } from '@preact/signals'
import { Code } from './code.js'
import { announce, focusOn, html, Problem, Time } from './parts.js'
import { devices, send, session, signOut } from './session.js'

const list = signal(null)
const problem = signal('')
const showsAll = signal(false)
/** The second devices in this page: { id, agent, handle, revokedAt, took }. */
const frames = signal([])
/** How long the last revocation took to reach the page of the device, in milliseconds. */
const latency = signal(null)

const FEW = 6

const webkit = 'AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1'
const chromium = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0'
/** Browsers that a second device can be, with what they send as `User-Agent`. */
const agents = {
  'Safari on iPhone': `Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) ${webkit}`,
  'Firefox on Windows': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0',
  'Edge on Windows': `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${chromium} Safari/537.36 Edg/150.0.0.0`,
  'Chrome on Android': `Mozilla/5.0 (Linux; Android 10; K) ${chromium} Mobile Safari/537.36`,
}

/** How many devices are signed in; null if this is not known. */
export const deviceCount = () => list.value?.length ?? null

export async function loadDevices() {
  try {
    // This browser first, then the newest.
    list.value = (await devices.list()).toSorted((one, other) => other.current - one.current)
    problem.value = ''
  } catch {
    problem.value = 'The devices cannot be read: the database does not answer. Nothing is lost; try again in a moment.'
  }
}

let shownHandle = null
effect(() => {
  const handle = session.value?.handle ?? null
  if (handle === shownHandle) return
  shownHandle = handle
  list.value = null
  if (handle === null) frames.value = []
  else void loadDevices()
})

async function revoke(device) {
  markRevoked([device.handle])
  const { ok, reason } = await send('DELETE', `/devices/${device.handle}`)
  if (!ok) return report(reason)
  await loadDevices()
  announce(`${device.name} is signed out.`)
  focusOn('devices-title')
}

async function revokeOthers(others) {
  markRevoked(others.map(({ handle }) => handle))
  const { ok, reason, answer } = await send('DELETE', '/devices')
  if (!ok) return report(reason)
  await loadDevices()
  announce(`${numbered(answer.revoked.length)} signed out.`)
  focusOn('devices-title')
}

function report(reason) {
  problem.value = reason
  announce(reason)
}

const numbered = count => `${count} ${count === 1 ? 'device' : 'devices'}`
const instant = () => performance.timeOrigin + performance.now()

function markRevoked(handles) {
  frames.value = frames.value.map(frame => handles.includes(frame.handle) ? { ...frame, revokedAt: instant() } : frame)
}

// The pages of the second devices say who they are, and when they have ended.
addEventListener('message', ({ origin, source, data }) => {
  if (origin !== location.origin) return
  const frame = frames.value.find(({ id }) => document.getElementById(id)?.contentWindow === source)
  if (frame === undefined) return
  if (data.type === 'signed-in') {
    frames.value = frames.value.map(each => each === frame ? { ...each, handle: data.handle } : each)
    void loadDevices()
  } else if (data.type === 'ended') {
    const took = frame.revokedAt === undefined ? null : Math.max(1, Math.round(data.at - frame.revokedAt))
    frames.value = frames.value.map(each => each === frame ? { ...each, took } : each)
    latency.value = took
    if (took !== null) announce(`The page of ${frame.agent} ended after ${took} milliseconds.`)
    source.postMessage({ type: 'took', took }, origin)
    void loadDevices()
  }
})

function addDevice(event) {
  event.preventDefault()
  const agent = event.currentTarget.elements.agent.value
  const frame = { id: `device-${crypto.randomUUID()}`, agent, user: session.value.userId }
  frames.value = [...frames.value, frame].slice(-2)
}

export function Devices() {
  if (session.value === null) return null
  const others = (list.value ?? []).filter(({ current }) => !current)
  return html`<section class="card" aria-labelledby="devices-title">
    <div class="content">
      <div class="spread">
        <h2 id="devices-title" tabindex="-1">Your devices</h2>
        ${others.length > 0 && html`<button onClick=${() => document.getElementById('others').showModal()}>
          Sign out the other ${others.length === 1 ? 'device' : others.length}</button>`}
      </div>
      <p>Sign in on a second device, revoke it, and watch its page end.
        ${latency.value !== null && html` The last one ended <strong>${latency.value} ms</strong>${' '}
          after the button was pressed.`}</p>
      ${problem.value && html`<${Problem}>${problem.value}${' '}
        <button class="small" onClick=${loadDevices}>Try again</button><//>`}
      <${List} />
      <form class="row" onSubmit=${addDevice}>
        <label for="agent">A second device</label>
        <select id="agent" name="agent">${Object.keys(agents).map(name => html`<option>${name}</option>`)}</select>
        <button>Sign in on it</button>
      </form>
      <p class="hint">Its page runs in a frame below, with a session of its own. A private window of your browser does
        as well.</p>
      <div class="frames">${frames.value.map(frame => html`<${Frame} key=${frame.id} ...${frame} />`)}</div>
      <${Confirmation} others=${others} />
    </div>
    <${Code} card="devices" />
  </section>`
}

function Frame({ id, agent, user }) {
  const query = new URLSearchParams({ user, name: agent, agent: agents[agent] })
  return html`<iframe id=${id} title=${`${agent}, a second device`} src=${`/device?${query}`}></iframe>`
}

function Confirmation({ others }) {
  const answer = event => {
    if (event.submitter?.value === 'yes') void revokeOthers(others)
  }
  return html`<dialog id="others" aria-labelledby="others-title">
    <form method="dialog" onSubmit=${answer}>
      <h2 id="others-title">Sign out ${numbered(others.length)}?</h2>
      <p>${others.length === 1 ? 'Its user has' : 'Their users have'} to sign in again. This browser stays signed
        in.</p>
      <div class="row">
        <button class="danger" value="yes">Sign out ${numbered(others.length)}</button>
        <button value="no">Cancel</button>
      </div>
    </form>
  </dialog>`
}

function List() {
  if (list.value === null) return html`<ul class="devices" aria-busy="true"><li class="skeleton"></li></ul>`
  const shown = showsAll.value ? list.value : list.value.slice(0, FEW)
  const toggle = () => showsAll.value = !showsAll.value
  const isOpen = showsAll.value ? 'true' : 'false'
  return html`
    <ul class="devices">${shown.map(device => html`<${Device} key=${device.handle} ...${device} />`)}</ul>
    ${list.value.length > FEW && html`<button class="start" onClick=${toggle} aria-expanded=${isOpen}>
      ${showsAll.value ? `Show the newest ${FEW}` : `Show all ${numbered(list.value.length)}`}</button>`}`
}

function Device(device) {
  const { name, current, ip, createdAt } = device
  const which = `${name}, signed in at ${new Date(createdAt).toLocaleTimeString('en-GB')}`
  const isHere = ip?.startsWith('127.') || ip === '::1'
  const [verb, act] = current ? ['Sign out', async () => announce(await signOut())] : ['Revoke', () => revoke(device)]
  return html`<li>
    <div>
      <strong>${name}</strong>${current && html` <span class="badge">This browser</span>`}
      <p class="hint">${ip ?? 'Unknown address'}${isHere && ', this computer'} · <${Time} at=${createdAt} /></p>
    </div>
    <button onClick=${act}>${verb}<span class="visually-hidden"> ${which}</span></button>
  </li>`
}
