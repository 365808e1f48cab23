// What the client sends and receives, for the timeline: this tab's requests, and those of the other tabs.
import { signal } from '@preact/signals'

/** The requests of all tabs, oldest first. */
export const exchanges = signal([])
/** Whether this tab is "offline". */
export const isOffline = signal(false)
/** What this tab does when another tab asks for it. */
export const requests = { call: _count => {}, expired: _since => {} }

const REMEMBERED = 200
const channel = new BroadcastChannel('keyturn example')

/** The number of this tab: 1 for the first. It is free again when the tab is closed. */
export const tab = await new Promise(resolve => {
  const take = number => navigator.locks.request(`keyturn example tab ${number}`, { ifAvailable: true }, lock => {
    if (lock === null) return void take(number + 1)
    resolve(number)
    return new Promise(() => {})
  })
  void take(1)
})

channel.onmessage = ({ data: { type, content } }) => {
  if (type === 'exchange') note(content)
  else if (type === 'who is there') tell('history', exchanges.value.filter(exchange => exchange.tab === tab))
  else if (type === 'history') content.forEach(note)
  else requests[type]?.(content)
}
tell('who is there')

/** Sends something to the other tabs. */
export function tell(type, content) {
  channel.postMessage({ type, content })
}

function note(exchange) {
  const others = exchanges.value.filter(({ id }) => id !== exchange.id)
  exchanges.value = [...others, exchange].toSorted((one, other) => one.at - other.at).slice(-REMEMBERED)
}

function publish(exchange) {
  note(exchange)
  tell('exchange', exchange)
}

/** A `fetch` that notes each request and its answer. The client sends everything with it. */
export async function traced(input, init = {}) {
  const { pathname } = new URL(input.url ?? input, location.href)
  const begun = performance.now()
  const exchange = {
    id: `${tab} ${crypto.randomUUID()}`, tab, at: Date.now(), took: null, status: null, message: '', place: null,
    method: init.method ?? input.method ?? 'GET', path: pathname,
  }
  publish(exchange)
  const finish = result => publish({ ...exchange, took: performance.now() - begun, ...result })
  try {
    if (isOffline.value) throw new TypeError('offline')
    const response = await fetch(input, init)
    const { status, headers } = response
    const message = status < 400 ? '' : (await response.clone().json().catch(() => ({}))).message ?? ''
    finish({ status, message, place: headers.get('x-demonstration-place'), expiry: expiryOf(headers) })
    return response
  } catch (error) {
    finish({ status: 0, message: isOffline.value ? 'offline' : 'no answer' })
    throw error
  }
}

/** When the access token of an answer expires: the header `front-token` says so to scripts. */
function expiryOf(headers) {
  try {
    return JSON.parse(atob(headers.get('front-token'))).ate
  } catch {
    return null
  }
}
