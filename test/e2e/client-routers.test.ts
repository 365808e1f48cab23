import { build } from 'esbuild'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { clientSamples, findRouter, installRouters, routers } from '../support/client-guide.ts'
import { ClientWorld } from './client-support/describe-in-browsers.ts'
import { logIn } from './client-support/tab.ts'
import { browserPath } from './support/browser.ts'
import { launchChromium } from './support/chromium.ts'
import type { Tab } from './support/web-browser.ts'

// The guards that docs/client.md shows, as they stand, in the routers themselves, in a page. The guard for SvelteKit is
// part of its example, which test/frameworks/sveltekit.test.ts drives; Next has guards on the server.

const root = join(import.meta.dirname, '../..')
installRouters()

/** Applications with a page for visitors, a login page and two pages behind the guard of the documentation. */
const applications: readonly [name: string, code: string][] = [
  ['React Router', `
    import { createElement } from 'react'
    import { createRoot } from 'react-dom/client'
    import { createBrowserRouter, Link, Outlet, RouterProvider } from 'react-router'
    import { loader } from 'sample:account.ts'

    const link = path => createElement(Link, { to: path, key: path }, path)
    const links = [link('/orders?page=2'), link('/bills?page=3')]
    const Layout = () => createElement('main', null, links, createElement(Outlet))
    const page = name => createElement('p', { id: 'page' }, name)
    const router = createBrowserRouter([{
      element: createElement(Layout),
      children: [
        { path: '/', element: page('home') }, { path: '/login', element: page('login') },
        { path: '/orders', element: page('orders'), loader }, { path: '/bills', element: page('bills'), loader },
      ],
    }])
    createRoot(document.getElementById('app')).render(createElement(RouterProvider, { router }))`],
  ['Vue Router', `
    import { createApp, h } from 'vue'
    import { createRouter, createWebHistory, RouterLink, RouterView } from 'vue-router'

    const page = name => ({ render: () => h('p', { id: 'page' }, name) })
    const meta = { isPublic: true }
    globalThis.router = createRouter({
      history: createWebHistory(),
      routes: [
        { path: '/', component: page('home'), meta }, { path: '/login', component: page('login'), meta },
        { path: '/orders', component: page('orders') }, { path: '/bills', component: page('bills') },
      ],
    })
    await import('sample:guard.ts')
    const link = path => h(RouterLink, { to: path }, () => path)
    const render = () => h('main', [link('/orders?page=2'), link('/bills?page=3'), h(RouterView)])
    createApp({ render }).use(globalThis.router).mount('#app')`],
]

/** An application with the samples of the documentation, as one module. */
async function bundleApplication(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    format: 'esm',
    target: 'esnext',
    platform: 'browser',
    alias: { 'keyturn/client/parts': join(root, 'src/client/parts.ts') },
    nodePaths: routers.map(name => findRouter(name)).flatMap(found => found === null ? [] : [dirname(found)]),
    define: { 'process.env.NODE_ENV': '"production"', __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false' },
    plugins: [{
      name: 'samples',
      setup({ onLoad, onResolve }) {
        onResolve({ filter: /^sample:/ }, ({ path }) => ({ path: path.slice('sample:'.length), namespace: 'sample' }))
        onLoad({ filter: /^/, namespace: 'sample' }, ({ path }) => (
          { contents: clientSamples().find(({ file }) => file === path)?.code ?? '', loader: 'ts', resolveDir: root }
        ))
      },
    }],
    write: false,
    logLevel: 'silent',
  })
  return outputFiles.map(({ text }) => text).join('\n')
}

const isComplete = browserPath !== null && routers.every(name => findRouter(name) !== null)

describe.skipIf(!isComplete)('the guards of docs/client.md in Chromium', () => {
  const world = new ClientWorld()
  beforeAll(() => world.start(launchChromium, {}))
  afterEach(() => world.reset())
  afterAll(() => world.end())

  test.each(applications)('B-15: in %s, visitors are sent to the login page, and back', async (_, code) => {
    const tab = await (await world.browser.newProfile()).openTab(world.application.origin)
    await tab.evaluate(code => {
      const script = document.createElement('script')
      script.type = 'module'
      script.textContent = code
      document.body.append(script)
    }, await bundleApplication(code))
    const seen = (): Promise<string> => tab.evaluate(() => (
      `${location.pathname}${decodeURIComponent(location.search)}: ${document.getElementById('page')?.textContent}`
    ))
    const follow = (tab: Tab, path: string): Promise<void> => tab.evaluate(path => {
      for (const link of document.querySelectorAll('a')) if (link.textContent === path) link.click()
    }, path)
    await expect.poll(seen).toBe('/: home')
    await follow(tab, '/orders?page=2')
    await expect.poll(seen).toBe('/login?returnTo=/orders?page=2: login')
    await logIn(tab)
    await follow(tab, '/orders?page=2')
    await expect.poll(seen).toBe('/orders?page=2: orders')
    await world.application.revoke('ada')
    world.application.expireTokens()
    expect(await tab.evaluate(() => client.refresh())).toBe(false)
    await follow(tab, '/bills?page=3')
    await expect.poll(seen).toBe('/login?returnTo=/bills?page=3&reason=revoked: login')
    await tab.evaluate(() => history.back())
    await expect.poll(seen).toBe('/login?returnTo=/orders?page=2&reason=revoked: login')
  })
})
