// Small parts that all cards use.
import { signal } from '@preact/signals'
import { h } from 'preact'
import htm from 'htm'

export const html = htm.bind(h)

const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches
/** The time. Who reads it is rendered again as it passes. */
export const now = signal(Date.now())
setInterval(() => now.value = Date.now(), isCalm ? 1000 : 250)

/** Says something in the page's one live region, after what it says already. */
export function announce(text) {
  if (text === '') return
  const region = document.getElementById('announcer')
  const line = document.createElement('p')
  line.textContent = text
  region.append(line)
  while (region.children.length > 3) region.firstChild.remove()
}

/** Moves the focus to an element that replaces the focused one. */
export function focusOn(id) {
  requestAnimationFrame(() => document.getElementById(id)?.focus())
}

const ago = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
const date = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit',
})
const exact = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'long' })

function relative(milliseconds) {
  const seconds = Math.round(milliseconds / 1000)
  for (const [unit, size] of [['day', 86_400], ['hour', 3600], ['minute', 60]]) {
    if (Math.abs(seconds) >= size) return ago.format(Math.trunc(seconds / size), unit)
  }
  return 'just now'
}

/** A time: relative, with its date; the exact instant on hover and on focus. */
export function Time({ at }) {
  return html`<time tabindex="0" datetime=${new Date(at).toISOString()} data-exact=${exact.format(at)}>
    ${relative(Math.min(0, at - now.value))}, ${date.format(at)}
  </time>`
}

/** The time of day to a thousandth of a second. */
export function clock(at) {
  const time = new Date(at)
  return `${time.toLocaleTimeString('en-GB')}.${String(time.getMilliseconds()).padStart(3, '0')}`
}

/** An identifier, shortened in the middle, with a button that copies it. */
export function Identifier({ text, name }) {
  const copy = async () => {
    await navigator.clipboard.writeText(text)
    announce(`Copied ${name}`)
  }
  return html`<span class="identifier">
    <code title=${text}>${text.length > 14 ? `${text.slice(0, 6)}…${text.slice(-4)}` : text}</code>
    <button class="small" onClick=${copy} aria-label=${`Copy ${name}`}>Copy</button>
  </span>`
}

/** A bar that says how much is left. */
export function Remaining({ label, left, of, words }) {
  const share = Math.max(0, Math.min(1, left / of))
  return html`<div class="remaining" role="meter" aria-label=${label} aria-valuemin="0" aria-valuemax="100"
    aria-valuenow=${Math.round(share * 100)} aria-valuetext=${words}>
    <div style=${{ width: `${share * 100}%` }}></div>
  </div>`
}

/** A button that keeps the focus while it cannot be used. */
export function Button({ isOff = false, onClick, children, ...rest }) {
  const press = event => {
    if (!isOff) onClick(event)
  }
  return html`<button ...${rest} aria-disabled=${isOff ? 'true' : undefined} onClick=${press}>${children}</button>`
}

/** What failed, what is kept, what to do. */
export function Problem({ id, children }) {
  return html`<p id=${id} class="problem">${children}</p>`
}
