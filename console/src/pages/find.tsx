import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { announce } from '../base/announce.ts'
import { hrefOf } from '../base/address.ts'
import { go, route } from '../base/route.ts'
import { filterFrom } from '../base/search.ts'
import { findSessions } from '../base/sessions.ts'
import type { SessionFilter } from '../base/sessions.ts'
import { useLoad } from '../base/load.ts'
import { count, list } from '../base/words.ts'
import { Page } from '../parts/page.tsx'
import { SessionTable } from '../parts/session-table.tsx'
import { Empty, Ready } from '../parts/states.tsx'
import { Pages } from '../parts/table.tsx'

const fields: readonly (readonly [name: keyof SessionFilter, label: string, hint: string])[] = [
  ['user', 'User id', 'Exactly as your application passes it; upper and lower case differ.'],
  ['tenant', 'Tenant', 'Exactly, for example public.'],
  ['ip', 'IP address', 'Exactly, of the last refresh or of the login.'],
  ['device', 'Device', 'A part of the user agent, for example Firefox.'],
]

export function FindPage(): JSX.Element {
  const { query } = route.value
  const filter = filterFrom(query)
  const after = query.get('after')
  const loaded = useLoad(JSON.stringify([filter, after]), abort => findSessions(filter, after, abort))
  const found = loaded.value
  useEffect(() => {
    if (found !== null) announce(`${count(found.sessions.length, 'session')} on this page.`)
  }, [found])
  const isFiltered = Object.values(filter).some(value => value !== '')
  return <Page title="Sessions" answer={answerOf(filter)}>
    <Filters filter={filter} />
    <Ready loaded={loaded} what="The sessions" lines={12}>
      {({ sessions, next }) => <>
        {sessions.length > 0
          ? <>
            <p class="muted">
              {count(sessions.length, 'session')} on this page{next === null ? '.' : '; there are more.'}
            </p>
            <SessionTable caption="Sessions, newest login first" rows={sessions} withUser />
          </>
          : <Nothing filter={filter} isFiltered={isFiltered} hasMore={next !== null} />}
        <Pages what="sessions" isFirst={after === null} firstHref={hrefOf(['sessions'], { ...filter })}
          nextHref={next === null ? null : hrefOf(['sessions'], { ...filter, after: next })} />
      </>}
    </Ready>
  </Page>
}

function answerOf({ user, tenant, ip, device }: SessionFilter): string {
  const of = user === '' ? 'all users' : `the user ${user}`
  const parts = [
    ...ip === '' ? [] : [`from ${ip}`], ...tenant === '' ? [] : [`in the tenant ${tenant}`],
    ...device === '' ? [] : [`whose user agent contains “${device}”`],
  ]
  return `Active sessions of ${of}${parts.length === 0 ? '' : ` ${list(parts)}`}, newest login first.`
}

function Nothing({ filter, isFiltered, hasMore }: {
  readonly filter: SessionFilter
  readonly isFiltered: boolean
  readonly hasMore: boolean
}): JSX.Element {
  if (hasMore) {
    return <Empty title="Nothing matches so far.">
      Only a part of the sessions was looked through. “Next page” goes on.
    </Empty>
  }
  if (!isFiltered) return <Empty title="Nobody is logged in.">Sessions appear here after the first login.</Empty>
  return <Empty title="No active session matches.">
    Sessions that were revoked or have expired are not listed: look for them under{' '}
    <a href={hrefOf(['thefts'], { user: filter.user })}>Thefts</a> and{' '}
    <a href={hrefOf(['audit'], { user: filter.user })}>Audit</a>.
    {filter.user !== '' && <> Perhaps you meant a{' '}
      <a href={hrefOf(['sessions'], { device: filter.user })}>device “{filter.user}”</a> or a{' '}
      <a href={hrefOf(['sessions'], { tenant: filter.user })}>tenant “{filter.user}”</a>.</>}
  </Empty>
}

function Filters({ filter }: { readonly filter: SessionFilter }): JSX.Element {
  const [draft, setDraft] = useState(filter)
  useEffect(() => setDraft(filter), [JSON.stringify(filter)])
  const submit = (event: Event): void => {
    event.preventDefault()
    const trimmed = Object.fromEntries(Object.entries(draft).map(([name, value]) => [name, value.trim()]))
    go(hrefOf(['sessions'], trimmed))
  }
  const isEmpty = Object.values(filter).every(value => value === '')
  return <form class="filters" aria-label="Filters" onSubmit={submit}>
    {fields.map(([name, label, hint]) => <label key={name} class="field">
      <span data-tip={hint}>{label}</span>
      <input name={name} value={draft[name]} autocomplete="off" autocapitalize="off" spellcheck={false} dir="auto"
        onInput={({ currentTarget: { value } }) => setDraft(old => ({ ...old, [name]: value }))} />
    </label>)}
    <div class="row">
      <button class="primary">Apply filters</button>
      {!isEmpty && <a class="button" href={hrefOf(['sessions'])}>Clear</a>}
    </div>
  </form>
}
