// What a browser does for a session in cookies: send the protocol's headers; after a 401 refresh once and try again.

const headers = init => {
  const all = new Headers(init?.headers)
  all.set('st-auth-mode', 'cookie')
  if (!all.has('rid')) all.set('rid', 'anti-csrf')
  const antiCsrf = localStorage.getItem('anti-csrf')
  if (antiCsrf !== null) all.set('anti-csrf', antiCsrf)
  return all
}

async function send(path, init) {
  const response = await fetch(path, { ...init, headers: headers(init) })
  const antiCsrf = response.headers.get('anti-csrf')
  if (antiCsrf !== null) localStorage.setItem('anti-csrf', antiCsrf)
  // Tells a tab that waits for its turn that another one has refreshed.
  if (response.headers.has('front-token')) localStorage.setItem('refreshed', String(Date.now()))
  return response
}

/** fetch, with one refresh and one more try after a 401. */
export async function request(path, init) {
  const before = localStorage.getItem('refreshed')
  const response = await send(path, init)
  if (response.status !== 401 || path === '/login') return response
  const failure = await refresh(before)
  return failure ?? send(path, init)
}

/** One tab at a time; the others find the work done. A failure is the answer: 401 is the end, 503 is not. */
function refresh(before) {
  return navigator.locks.request('session-refresh', async () => {
    if (localStorage.getItem('refreshed') !== before) return null
    const response = await send('/auth/session/refresh', { method: 'POST', headers: { rid: 'session' } })
    return response.ok ? null : response
  })
}

export async function signOut() {
  await request('/auth/signout', { method: 'POST', headers: { rid: 'session' } })
  localStorage.removeItem('anti-csrf')
}
