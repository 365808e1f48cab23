import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig, type DefaultTheme } from 'vitepress'
import { anchorOf, pagesFolder, showFileNames, useSiteLinks } from '../links.ts'
import { readSidebar } from '../sidebar.ts'

const downloadFolder = join(import.meta.dirname, '../public')

export default defineConfig({
  title: 'Keyturn',
  description: 'Session management for TypeScript servers',
  lang: 'en',
  srcDir: pagesFolder,
  outDir: join(import.meta.dirname, '../dist'),
  cacheDir: join(import.meta.dirname, '../../.cache/site'),
  // The site may be put into any folder of a server that knows no rewriting: addresses end with .html.
  cleanUrls: false,
  rewrites: path => path.replace(/README\.md$/, 'index.md'),
  // Addresses that a reader's own programs have.
  ignoreDeadLinks: [/^http:\/\/localhost/],
  lastUpdated: false,
  head: [['meta', { name: 'color-scheme', content: 'light dark' }], ['link', { rel: 'icon', href: 'data:,' }]],
  markdown: {
    anchor: { slugify: anchorOf },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config: markdown => {
      useSiteLinks(markdown)
      showFileNames(markdown)
    },
  },
  vite: { publicDir: downloadFolder, build: { chunkSizeWarningLimit: 4_000 } },
  themeConfig: {
    nav: [
      { text: 'Start', link: '/start/', activeMatch: '^/start/' },
      { text: 'Guides', link: '/production', activeMatch: '^/(?!start|concepts|api|migrate|compare).' },
      { text: 'Concepts', link: '/concepts/verification', activeMatch: '^/concepts/' },
      { text: 'Reference', link: '/calls' },
      { text: 'Migrate', link: '/migrate/', activeMatch: '^/migrate/' },
      { text: 'Compare', link: '/compare' },
    ],
    sidebar: [...readSidebar(), ...reference()],
    outline: [2, 3],
    search: { provider: 'local', options: { detailedView: true } },
    docFooter: { prev: 'Previous page', next: 'Next page' },
    externalLinkIcon: false,
  },
})

/** The generated reference of all exports, once it exists. */
function reference(): DefaultTheme.SidebarItem[] {
  const list = join(pagesFolder, 'api/sidebar.json')
  if (!existsSync(list)) return []
  return [{ text: 'Every export', collapsed: true, items: JSON.parse(readFileSync(list, 'utf8')) }]
}
