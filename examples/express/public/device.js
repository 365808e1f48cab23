// The page of a second device, in a frame: a session of its own, whose tokens only this page has.
const device = new URLSearchParams(location.search)

// Another device shares no channel and no storage with this browser.
delete globalThis.BroadcastChannel
const memory = new Map()
const storage = { getItem: key => memory.get(key) ?? null, setItem: (key, value) => void memory.set(key, value) }

const { createClient } = await import('keyturn/client')
const { onRevoked } = await import('./live.js')

const send = (input, init = {}) => {
  const headers = new Headers(init.headers)
  headers.set('x-demonstration-agent', device.get('agent'))
  // Another device has none of this browser's cookies.
  return fetch(input, { ...init, headers, credentials: 'omit' })
}
const client = createClient({ mode: 'header', storage, fetch: send })
const show = (id, text) => document.getElementById(id).textContent = text

show('name', device.get('name'))
client.onChange((view, previous) => {
  if (view.session !== null || previous.session === null) return
  const at = performance.timeOrigin + performance.now()
  document.body.classList.add('ended')
  show('state', 'Signed out')
  show('detail', 'This session was revoked from another device.')
  parent.postMessage({ type: 'ended', at }, location.origin)
})
addEventListener('message', ({ origin, data }) => {
  if (origin !== location.origin || data.type !== 'took' || data.took === null) return
  show('detail', `This session was revoked from another device, ${data.took} ms after the button was pressed.`)
})

try {
  const response = await client.fetch('/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ userId: device.get('user') }),
  })
  if (!response.ok) throw new Error(`${response.status}`)
  const { userId, handle } = await response.json()
  show('state', `Signed in as ${userId}`)
  show('detail', 'It listens, so that it learns of a revocation at once.')
  parent.postMessage({ type: 'signed-in', handle }, location.origin)
  onRevoked(client.fetch, () => void client.fetch('/me'))
} catch {
  show('state', 'Could not sign in')
  show('detail', 'The server or its database does not answer. Remove this device and try again.')
}
