// The guards that docs/client.md shows, in the routers themselves. Each function returns how to visit an address, which
// resolves to the address that the user then sees.
import { isRedirect, type LoadEvent } from '@sveltejs/kit'
import { createMemoryRouter } from 'react-router'
import { createMemoryHistory, createRouter } from 'vue-router'

type Visit = (address: string) => Promise<string>

export async function reactRouter(): Promise<Visit> {
  const { loader } = await import('./account.ts')
  const routes = [{ path: '/login', element: 'login' }, { path: '*', element: 'page', loader }]
  const opened = createMemoryRouter(routes, { initialEntries: ['/login'] })
  return async address => {
    await opened.navigate(address)
    const { location: { pathname, search }, errors } = opened.state
    return errors === null ? pathname + search : `an error instead of ${pathname}`
  }
}

export async function vueRouter(): Promise<Visit> {
  const component = { render: () => null }
  globalThis.router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/login', component, meta: { isPublic: true } }, { path: '/:page', component }],
  })
  await import('./guard.ts')
  return async address => {
    await router.push(address)
    return router.currentRoute.value.fullPath
  }
}

/** Calls the function `load` as SvelteKit does, and follows its redirect. */
export async function svelteKit(): Promise<Visit> {
  const { load, ssr } = await import('./+layout.ts')
  if (ssr) throw new Error('the server would run the guard, and knows no session')
  return async address => {
    try {
      await load({ url: new URL(address, 'https://app.example.com') } as LoadEvent)
      return address
    } catch (error) {
      if (isRedirect(error)) return error.location
      throw error
    }
  }
}
