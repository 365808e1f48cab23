import { signal } from '@preact/signals'
import { hrefOf } from './address.ts'
import { go } from './route.ts'

/** A page and the letter after `g` that leads to it. */
export const destinations: readonly (readonly [key: string, page: string, name: string])[] = [
  ['o', '', 'Overview'], ['s', 'sessions', 'Sessions'], ['t', 'thefts', 'Thefts'], ['a', 'audit', 'Audit'],
  ['k', 'keys', 'Keys'], ['i', 'inspector', 'Token inspector'], ['h', 'health', 'Health'],
]

const STORED = 'keyturn-console-shortcuts'

/** Whether keys without a modifier do something. Speech input types letters, so they can be turned off (WCAG 2.1.4). */
export const areOn = signal(readStored())
export const isHelpShown = signal(false)

function readStored(): boolean {
  try {
    return localStorage.getItem(STORED) !== 'off'
  } catch {
    return true
  }
}

export function setShortcuts(on: boolean): void {
  areOn.value = on
  try {
    localStorage.setItem(STORED, on ? 'on' : 'off')
  } catch {
    // Without storage, the choice lasts as long as the page.
  }
}

/** Follows the keys. `toggleTables` shows plots as tables. */
export function followKeys(toggleTables: () => void): () => void {
  let before = ''
  const onKey = (event: KeyboardEvent): void => {
    const { key, target, ctrlKey, metaKey, altKey } = event
    const isMeant = !ctrlKey && !metaKey && !altKey && !isTyping(target) && !document.querySelector('dialog[open]')
    if (!areOn.value || !isMeant) return
    const destination = before === 'g' ? destinations.find(([letter]) => letter === key) : undefined
    before = destination === undefined ? key : ''
    if (destination !== undefined) go(hrefOf(destination[1] === '' ? [] : [destination[1]]))
    else if (key === '?') isHelpShown.value = true
    else if (key === '/') focusSearch()
    else if (key === 't') toggleTables()
    else if (key === 'j' || key === 'k') moveRow(key === 'j' ? 1 : -1)
    else return
    event.preventDefault()
  }
  addEventListener('keydown', onKey)
  return () => removeEventListener('keydown', onKey)
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable]') !== null
}

function focusSearch(): void {
  const box = document.getElementById('search')
  if (box instanceof HTMLInputElement) {
    box.focus()
    box.select()
  }
}

/** Moves the focus to the link of the next row, or of the one before. */
function moveRow(step: number): void {
  const links = [...document.querySelectorAll<HTMLElement>('main tbody th[scope="row"] a')]
  const current = document.activeElement?.closest('tr')?.querySelector('a') ?? null
  const index = links.findIndex(link => link === current)
  links[index === -1 ? 0 : Math.max(0, Math.min(links.length - 1, index + step))]?.focus()
}
