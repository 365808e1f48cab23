// The thief of the demonstration: copies the cookies of a browser and goes on from them in another place.

const placePattern = /sRefreshToken[^=;]*=(kt1\.[^.]+\.[^.]+\.(\d+)\.(\d+)\.\S+)/

export function createThief(origin) {
  const userAgent = 'curl/8.14.1'
  let cookies = new Map()

  const send = async (method, path) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { cookie, rid: 'session', 'user-agent': userAgent }
    const response = await fetch(origin + path, { method, headers })
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    const { message = '' } = await response.json()
    return { status: response.status, message, ...loot() }
  }

  /** What the page may show of the stolen token: its place in the lineage, and a shortened text. */
  const loot = () => {
    const text = [...cookies].map(pair => pair.join('=')).join('; ')
    const [, token = '', generation, branch] = placePattern.exec(text) ?? []
    return generation === undefined ? { place: null, token: null } : {
      place: { generation: Number(generation), branch: Number(branch) },
      token: `${token.slice(0, 8)}…${token.slice(-5).replace(';', '')}`,
    }
  }

  return {
    userAgent,
    copy(cookie = '') {
      cookies = new Map(cookie.split('; ').map(pair => /^([^=]*)=(.*)$/.exec(pair)?.slice(1) ?? [pair, '']))
      return loot()
    },
    refresh: () => send('POST', '/auth/session/refresh'),
    call: () => send('GET', '/me'),
  }
}
