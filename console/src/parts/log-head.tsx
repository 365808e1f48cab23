import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { exportUrl } from '../base/events.ts'
import type { EventFilter, Log } from '../base/events.ts'
import { hrefOf } from '../base/address.ts'
import { go } from '../base/route.ts'

/** The filter of a log, and the ways to take it along. */
export function LogFilter({ page, filter }: { readonly page: string; readonly filter: EventFilter }): JSX.Element {
  const [user, setUser] = useState(filter.user)
  const [handle, setHandle] = useState(filter.handle)
  useEffect(() => {
    setUser(filter.user)
    setHandle(filter.handle)
  }, [filter.user, filter.handle])
  const submit = (event: Event): void => {
    event.preventDefault()
    go(hrefOf([page], { user: user.trim(), handle: handle.trim() }))
  }
  return <form class="filters" aria-label="Filters" onSubmit={submit}>
    <label class="field"><span>User id</span>
      <input name="user" value={user} autocomplete="off" autocapitalize="off" spellcheck={false} dir="auto"
        onInput={({ currentTarget }) => setUser(currentTarget.value)} /></label>
    <label class="field"><span>Session handle</span>
      <input name="handle" value={handle} autocomplete="off" autocapitalize="off" spellcheck={false}
        onInput={({ currentTarget }) => setHandle(currentTarget.value)} /></label>
    <div class="row">
      <button class="primary">Apply filters</button>
      {(filter.user !== '' || filter.handle !== '') && <a class="button" href={hrefOf([page])}>Clear</a>}
    </div>
  </form>
}

export function Exports({ kind, filter, what }: {
  readonly kind: Log
  readonly filter: EventFilter
  readonly what: string
}): JSX.Element {
  return <>{(['json', 'csv'] as const).map(format => <a key={format} class="button" download
    href={exportUrl(kind, filter, format)}>Export {what} as {format.toUpperCase()}</a>)}</>
}
