import type { ComponentChildren, JSX } from 'preact'
import type { ApiFailure } from '../base/api.ts'
import type { Loaded } from '../base/load.ts'

/** What failed, what is kept, what to do. */
export function Problem({ id, title, isMild = false, children }: {
  readonly id?: string
  /** Whether nothing has failed yet. */
  readonly isMild?: boolean
  readonly title?: string
  readonly children: ComponentChildren
}): JSX.Element {
  return <div class={isMild ? 'problem attention' : 'problem'} {...id === undefined ? {} : { id }}>
    {title !== undefined && <strong>{title}</strong>}
    <p>{children}</p>
  </div>
}

/** Nothing to show, and why that is. */
export function Empty({ title, children }: {
  readonly title: string
  readonly children?: ComponentChildren
}): JSX.Element {
  return <div class="empty"><strong>{title}</strong>{children !== undefined && <p>{children}</p>}</div>
}

/** Lines of the size of what is about to appear. */
export function Skeleton({ lines = 6 }: { readonly lines?: number }): JSX.Element {
  return <div class="skeleton" aria-hidden="true">{Array.from({ length: lines }, (_, line) => <i key={line}></i>)}</div>
}

/** Shows what was read, or how far it is, or why it cannot be read. */
export function Ready<Value>({ loaded, what, lines, children }: {
  readonly loaded: Loaded<Value>
  /** What is read, for the sentence about a failure: "The sessions". */
  readonly what: string
  readonly lines?: number
  readonly children: (value: Value) => ComponentChildren
}): JSX.Element {
  const { value, failure, isSlow, reload } = loaded
  if (value !== null) return <>{failure !== null && <Outdated failure={failure} what={what} />}{children(value)}</>
  if (failure !== null) return <Unread failure={failure} what={what} reload={reload} />
  // Nothing at first: most answers come before anybody could read "Loading".
  if (!isSlow) return <div class="soon" aria-busy="true"></div>
  return <div aria-busy="true">
    <p class="visually-hidden">Loading</p>
    <Skeleton {...lines === undefined ? {} : { lines }} />
  </div>
}

function Outdated({ failure, what }: { readonly failure: ApiFailure; readonly what: string }): JSX.Element | null {
  // The banner of the page says it already.
  if (failure.code === 'offline' || failure.code === 'unavailable') return null
  return <Problem title={`${what} could not be read again.`}>{failure.message} What you see is older.</Problem>
}

function Unread({ failure, what, reload }: {
  readonly failure: ApiFailure
  readonly what: string
  readonly reload: () => void
}): JSX.Element {
  const returns = failure.code === 'offline' || failure.code === 'unavailable'
  return <div class="problem">
    <strong>{what} cannot be read.</strong>
    <p>{failure.message}{returns && ' Nothing is lost. The console tries again by itself.'}</p>
    <p><button type="button" onClick={reload}>Try again now</button></p>
  </div>
}
