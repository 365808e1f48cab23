import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { announce } from '../base/announce.ts'
import { change, me } from '../base/api.ts'
import { failureFrom } from '../base/load.ts'
import { hrefOf } from '../base/address.ts'
import { go, route } from '../base/route.ts'
import { destinations, followKeys, isHelpShown } from '../base/shortcuts.ts'
import { searchHref } from '../base/search.ts'
import { toggleTables } from '../pages/overview.tsx'
import { ConnectionBanner } from './banner.tsx'
import { Brand } from './brand.tsx'
import { Help } from './help.tsx'
import { Explained, Icon } from './text.tsx'
import type { IconName } from './text.tsx'

/** What surrounds every page: the search, the ways to the pages, and who is logged in. */
export function Frame({ children }: { readonly children: ComponentChildren }): JSX.Element {
  useEffect(() => followKeys(toggleTables), [])
  const skip = (): void => document.getElementById('title')?.focus()
  return <div class="frame">
    <button type="button" class="skip" onClick={skip}>Skip to the content</button>
    <header class="top">
      <a class="home" href={hrefOf([])} aria-label="Keyturn console, overview"><Brand /></a>
      <Search />
      <Operator />
    </header>
    <Navigation />
    <main id="main" tabIndex={-1}>
      <ConnectionBanner />
      {children}
    </main>
    {isHelpShown.value && <Help onClose={() => isHelpShown.value = false} />}
  </div>
}

function Search(): JSX.Element {
  const [text, setText] = useState('')
  const submit = (event: Event): void => {
    event.preventDefault()
    if (text.trim() === '') return
    go(searchHref(text))
    setText('')
  }
  return <form class="search" role="search" onSubmit={submit}>
    <label class="visually-hidden" for="search">Find a user id, session handle or IP address</label>
    <input id="search" type="search" value={text} autocomplete="off" autocapitalize="off" spellcheck={false} dir="auto"
      placeholder="User id, session handle or IP address"
      onInput={({ currentTarget }) => setText(currentTarget.value)} />
    <button class="icon" aria-label="Find"><Icon name="search" /></button>
  </form>
}

function Operator(): JSX.Element {
  const operator = me.value
  if (operator == null) return <></>
  const logOut = async (): Promise<void> => {
    try {
      await change('POST', 'logout')
      me.value = null
      announce('Logged out of the console.')
    } catch (error) {
      announce(failureFrom(error).message)
    }
  }
  const tip = operator.role === 'manage' ? 'You may change everything that the console can change.'
    : 'You see everything; changes are not offered.'
  return <div class="operator">
    <span class="who"><bdi>{operator.name}</bdi>{' '}
      <Explained tip={tip}>{operator.role === 'manage' ? 'may change' : 'reads only'}</Explained></span>
    {operator.login === 'key' && <button type="button" onClick={() => void logOut()}>Log out</button>}
  </div>
}

const icons: Readonly<Record<string, IconName>> = {
  '': 'overview', 'sessions': 'sessions', 'thefts': 'thefts', 'audit': 'audit', 'keys': 'keys',
  'inspector': 'inspector', 'health': 'health',
}

function Navigation(): JSX.Element {
  const [isOpen, setOpen] = useState(false)
  const [here = ''] = route.value.path
  return <nav class={`side ${isOpen ? 'open' : ''}`} aria-label="Pages">
    <button type="button" class="menu" aria-expanded={isOpen} aria-controls="pages" onClick={() => setOpen(!isOpen)}>
      <Icon name="menu" /> Menu
    </button>
    <ul id="pages">
      {destinations.map(([, page, name]) => <li key={page}>
        <a href={hrefOf(page === '' ? [] : [page])} onClick={() => setOpen(false)}
          aria-current={here === page || (here === 'users' && page === 'sessions') ? 'page' : undefined}>
          <Icon name={icons[page] ?? 'overview'} /> {name}</a>
      </li>)}
      <li><button type="button" class="plain" onClick={() => isHelpShown.value = true}>
        <kbd aria-hidden="true">?</kbd> Shortcuts</button></li>
    </ul>
    <p class="about muted">
      <bdi>{me.value?.name}</bdi><br />
      Application <bdi>{me.value?.application}</bdi><br />
      {me.value?.product.name} {me.value?.product.version}
    </p>
  </nav>
}
