import type { ComponentChildren, JSX } from 'preact'
import { announce } from '../base/announce.ts'
import { now } from '../base/clock.ts'
import { date, exact, relative, shorten, visible } from '../base/words.ts'

/**
 * A point in time: relative, with its date; the exact instant on hover and on focus. In a list, the link of the row
 * shows the instants, so that the Tab key does not stop at each of them.
 */
export function Time({ at, inList = false }: { readonly at: number; readonly inList?: boolean }): JSX.Element {
  return <time {...inList ? {} : { tabIndex: 0 }} class={inList ? 'stacked' : ''} dateTime={new Date(at).toISOString()}
    data-tip={exact(at)}>
    <span>{relative(at, now.value)}</span>{inList ? ' ' : ', '}<span class="date">{date(at)}</span>
  </time>
}

/** An identifier, shortened in the middle, with a button that copies it. `name` is what the button copies. */
export function Identifier({ text, name, isWhole = false }: {
  readonly text: string
  readonly name: string
  readonly isWhole?: boolean
}): JSX.Element {
  const shown = isWhole ? text : shorten(text)
  return <span class="identifier">
    <code dir="auto" {...shown === text ? {} : { 'data-tip': text, tabIndex: 0 }}>
      {shown}
    </code>
    <CopyButton text={text} name={name} />
  </span>
}

export function CopyButton({ text, name }: { readonly text: string; readonly name: string }): JSX.Element {
  const copy = (): void => void navigator.clipboard.writeText(text).then(
    () => announce(`Copied ${name}.`),
    () => announce(`The browser does not allow copying. Select ${name} instead.`),
  )
  return <button type="button" class="icon" onClick={copy} aria-label={`Copy ${name}`} data-tip={`Copy ${name}`}>
    <Icon name="copy" />
  </button>
}

/** Text of a stranger: whatever it holds stays in its place and direction. */
export function Foreign({ children, limit = 80 }: { readonly children: string; readonly limit?: number }): JSX.Element {
  const shown = shorten(visible(children), limit - 20, 17)
  return <bdi {...shown === children ? {} : { 'data-tip': children }}>{shown}</bdi>
}

/** A sentence of the server: what is between backquotes is code. */
export function Prose({ children }: { readonly children: string }): JSX.Element {
  return <>{children.split('`').map((part, index) => index % 2 === 0 ? part : <code key={index}>{part}</code>)}</>
}

/** A word with an explanation on hover and on focus. */
export function Explained({ tip, children }: {
  readonly tip: string
  readonly children: ComponentChildren
}): JSX.Element {
  return <span class="explained" tabIndex={0} data-tip={tip}>{children}</span>
}

export type Tone = 'good' | 'warning' | 'bad' | 'unknown' | 'plain'

const marks: Readonly<Record<Tone, string>> = { good: '✓', warning: '!', bad: '✕', unknown: '?', plain: '' }

/** A state: a word and a sign, so that its colour is not needed. */
export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }): JSX.Element {
  return <span class={`badge ${tone}`}>
    {marks[tone] !== '' && <span class="sign" aria-hidden="true">{marks[tone]}</span>}{children}
  </span>
}

const icons = {
  copy: 'M8 8V5a2 2 0 0 1 2-2h9a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-3M5 8h9a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-9'
    + 'a2 2 0 0 1 2-2Z',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13Zm4.7-1.800L20 20',
  menu: 'M4 7h16M4 12h16M4 17h16',
  overview: 'M4 19h16M6 16v-4M11 16V6M16 16v-7',
  sessions: 'M4 6h16v10H4zM9 20h6M12 16v4',
  thefts: 'M12 4 21 19H3zM12 10v4M12 16.500v.1',
  audit: 'M6 3h9l4 4v14H6zM9 12h7M9 16h7M9 8h3',
  keys: 'M8.5 16a4 4 0 1 1 3.8-5.200H21v3.500M17 10.800v3M12.3 13.300A4 4 0 0 1 8.5 16Z',
  inspector: 'M10 16a6 6 0 1 0 0-12 6 6 0 0 0 0 12Zm4.3-1.700L20 20M7.5 10h5',
  health: 'M3 12h4l3-7 4 14 3-7h4',
} as const

export type IconName = keyof typeof icons

export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return <svg class="glyph" viewBox="0 0 24 24" width="18" height="18" aria-hidden="true"><path d={icons[name]} /></svg>
}
