// Groups requests that belong together: those that one tab sends at about the same time. Pure.

const GAP = 700
/** How long a request that was refused waits for a refresh, in milliseconds, and still belongs to what refused it. */
const PATIENCE = 10_000

/** The groups, oldest first: each with its steps, and with a sentence that says what happened. */
export function burstsOf(exchanges) {
  const bursts = []
  const latest = new Map()
  for (const exchange of exchanges) {
    const last = latest.get(exchange.tab)
    const end = exchange.at + (exchange.took ?? 0)
    const wait = exchange.at - (last?.end ?? -Infinity)
    if (wait < GAP || (wait < PATIENCE && isAwaited(last, exchange))) {
      last.exchanges.push(exchange)
      last.end = Math.max(last.end, end)
    } else {
      const burst = { id: exchange.id, tab: exchange.tab, at: exchange.at, end, exchanges: [exchange] }
      bursts.push(burst)
      latest.set(exchange.tab, burst)
    }
  }
  const places = new Set()
  return bursts.map(burst => {
    const known = new Set(places)
    for (const { place } of burst.exchanges) if (place) places.add(place)
    return { ...burst, steps: stepsOf(burst.exchanges), words: wordsFor(burst.exchanges, known) }
  })
}

/** Whether the burst has refused a request, and this is its first refresh, or the repetition of the request. */
function isAwaited({ exchanges }, exchange) {
  if (isRefresh(exchange) && exchanges.some(isRefresh)) return false
  const { method, path } = exchange
  const same = exchanges.filter(each => isRefresh(exchange) || (each.method === method && each.path === path))
  const since = same.slice(same.findIndex(({ status }) => status === 401))
  const refused = since.filter(({ status }) => status === 401).length
  return refused > since.length - refused
}

export const isRefresh = ({ path }) => path === '/auth/session/refresh'

/** Equal neighbours are one step. */
function stepsOf(exchanges) {
  const steps = []
  const refused = new Set()
  for (const exchange of exchanges) {
    const { method, path, status, message, took, place } = exchange
    const isRepeat = !isRefresh(exchange) && refused.has(`${method} ${path}`) && status !== 401
    if (status === 401) refused.add(`${method} ${path}`)
    const last = steps.at(-1)
    const isEqual = last !== undefined && last.method === method && last.path === path && last.status === status
      && last.place === place && last.isRepeat === isRepeat
    if (isEqual) last.count++
    else steps.push({ kind: kindOf(exchange), method, path, status, message, took, place, isRepeat, count: 1 })
  }
  return steps
}

/** How a step is shown. */
export function kindOf(exchange) {
  const { status } = exchange
  if (status === null) return 'pending'
  if (status === 0 || status >= 500) return 'failed'
  if (status >= 400) return 'refused'
  return isRefresh(exchange) ? 'refreshed' : 'answered'
}

function wordsFor(exchanges, known) {
  const refreshes = exchanges.filter(isRefresh)
  const others = exchanges.filter(exchange => !isRefresh(exchange))
  const refused = others.filter(({ status }) => status === 401).length
  const good = refreshes.filter(({ status }) => status === 200)
  const bad = refreshes.find(({ status }) => status !== null && status !== 200)
  if (exchanges.some(({ status }) => status === null)) return 'Waiting for the answer.'
  if (exchanges.some(({ message }) => message === 'offline')) {
    return 'Offline: nothing was sent. The session is kept, and the client tries again when the network is back.'
  }
  if (bad?.message === 'token theft detected') {
    return 'Token theft detected: Keyturn has revoked the session for both parties.'
  }
  if (bad?.status === 401) return 'There is no session any more.'
  if (bad?.status === 504 && good.length === 0) {
    return 'The server refreshed, but its answer was lost. The session is kept, and the client tries again.'
  }
  if (bad?.status === 503) {
    return 'The server cannot refresh now, and says when to try again. The session and its tokens are kept.'
  }
  if (others.some(({ status }) => status === 503)) {
    return 'The database does not answer. The session and its tokens are kept; try again later.'
  }
  const [first] = good
  const isRepetition = first !== undefined && first.place !== null && known.has(first.place)
  if (good.length > 1) {
    return `${good.length} refreshes of one token: one rotation, and the same new token for all of them.`
  }
  if (refused > 0 && good.length === 1) {
    return `The access token had expired: ${refused === 1 ? 'one 401' : `${refused} times 401`}, one refresh, `
      + `and the ${refused === 1 ? 'request is' : 'requests are'} repeated.`
  }
  if (refused > 0) return 'Refused with 401. Another tab has refreshed for this one; repeated with its token.'
  if (isRepetition) return 'The same refresh token again: a repetition, as after a lost answer. Nothing is alarmed.'
  if (good.length === 1 && others.length > 0) {
    return 'The tab knew that its access token had expired: it refreshed first.'
  }
  if (good.length === 1) return 'A new access token, and a new refresh token.'
  if (others.every(({ method, path }) => method === 'GET' && path === '/me')) {
    return 'Verified on the server without a call to the database.'
  }
  return sentences[`${others[0]?.method} ${others[0]?.path}`] ?? ''
}

const sentences = {
  'POST /login': 'A new session: an access token and a refresh token, in cookies that scripts cannot read.',
  'POST /auth/signout': 'The session is revoked, and its cookies are cleared.',
  'POST /payload': 'A new JWT payload comes with a new access token.',
  'PUT /info': 'The session data stays in the database.',
}
