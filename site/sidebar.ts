// The structure of the site: what is listed here comes first, in this order. A page that is not listed follows the
// others of its part, under its own heading, so that none is missing.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')

/** An entry of the navigation beside a page. */
interface Item {
  readonly text: string
  readonly link: string
}

/** A part of the site. */
interface Part {
  readonly text: string
  readonly collapsed: boolean
  readonly items: Item[]
}

const part = (text: string, collapsed: boolean, pages: Readonly<Record<string, string>>): Part => ({
  text, collapsed, items: Object.entries(pages).map(([link, title]) => ({ text: title, link: `/${link}` })),
})

/** The parts, and the listed pages of each by address. */
export const listed: readonly Part[] = [
  part('Start', false, {
    'start/': 'Choose your framework',
    'start/express': 'Express',
    'start/fastify': 'Fastify',
    'start/hono': 'Hono',
    'start/koa': 'Koa',
    'start/next': 'Next.js',
    'start/nest': 'Nest',
    'start/sveltekit': 'SvelteKit',
    'start/h3': 'h3 and Nitro',
    'start/node': 'Node.js without a framework',
    'start/bun': 'Bun',
    'start/deno': 'Deno',
    'start/workers': 'Cloudflare Workers',
    'start/spa': 'Vite and an API on another origin',
  }),
  part('Guides', false, {
    'log-in-with-an-identity-provider': 'Log in with an identity provider',
    'frameworks#pages-that-the-server-renders': 'Server-rendered pages',
    'guides/single-page': 'Single-page applications',
    'guides/mobile': 'Mobile and desktop apps',
    'client': 'The client in full',
    'frameworks': 'Frameworks in full',
    'guides/websockets': 'WebSockets and event streams',
    'guides/several-services': 'Share sessions between services',
    'guides/tenants': 'Multi-tenancy',
    'sessions': 'Sessions and their data',
    'step-up': 'Ask for the password again (step-up)',
    'testing': 'Test your application',
    'server': 'The standalone server',
    'django': 'Django',
    'stores': 'Choose and run a store',
    'production': 'Going to production',
    'production#the-incident-handbook': 'The incident handbook',
    'leaks': 'What to do after a leak',
    'serverless': 'Serverless and edge platforms',
    'distributed': 'Distributed databases',
    'orms': 'ORMs and query builders',
    'scale': 'Scale',
    'diagnosis': 'Diagnosis',
    'typescript': 'TypeScript and module formats',
  }),
  part('Concepts', false, {
    'concepts/verification': 'Verification',
    'concepts/rotation': 'Rotation',
    'concepts/theft': 'Theft detection',
    'concepts/revocation': 'Revocation',
    'security': 'Security',
  }),
  part('Reference', true, {
    'calls': 'Calls and what they cost',
    'options': 'Options in short',
    'configuration': 'Every option',
    'errors': 'Errors',
    'health-and-metrics': 'Health, metrics, events',
    'verify': 'keyturn/verify',
    'exports': 'List of exports',
    'framework-contract': 'The framework contract',
    'writing-a-store': 'Writing a store',
    'engines': 'Tested database engines',
  }),
  part('Migrate', true, {
    'migrate/': 'Move to Keyturn',
    'migrate/supertokens': 'from SuperTokens',
    'migrate/better-auth': 'from Better Auth',
    'migrate/auth-js': 'from Auth.js',
    'migrate/express-session': 'from express-session',
    'migrate/iron-session': 'from iron-session',
    'migrate/django': 'from Django sessions',
  }),
  part('Compare', true, { 'compare': 'Compare with alternatives', 'benchmarks/': 'Benchmarks' }),
  part('Project', true, {
    'architecture': 'Architecture',
    'decisions/': 'Decisions',
    'requirements': 'Requirements',
    'mutation': 'Mutation testing',
    'versions': 'Versions and support',
    'changelog': 'Changelog',
    'contributing': 'Contributing',
    'conduct': 'Code of conduct',
  }),
]

/** The addresses of all pages but the first one, the generated ones, and single benchmarks and decisions. */
export const addresses: readonly string[] = globSync('docs/**/*.md', { cwd: root }).sort()
  .filter(path => !/^docs\/(?:index\.md$|api\/|(?:benchmarks|decisions)\/(?!README))/.test(path))
  .map(path => path.replace(/^docs/, '').replace(/\.md$/, '').replace(/(?:README|index)$/, ''))

const partOf = (address: string): string => {
  if (address.startsWith('/start/')) return 'Start'
  if (address.startsWith('/concepts/')) return 'Concepts'
  return address.startsWith('/migrate/') ? 'Migrate' : 'Guides'
}

/** The heading of a page. */
function titleOf(address: string): string {
  const text = readFileSync(join(root, `docs${address}.md`), 'utf8')
  return /^# (.*)$/m.exec(text)?.[1]?.replaceAll('`', '') ?? address
}

/** The pages of a folder that has many of one kind. */
function readFolder(text: string, folder: string): Part {
  const links = globSync(`docs/${folder}/*.md`, { cwd: root }).filter(path => !path.endsWith('README.md')).sort()
    .map(path => path.replace(/^docs/, '').replace(/\.md$/, ''))
  return { text, collapsed: true, items: links.map(link => ({ text: titleOf(link), link })) }
}

/** The parts with all their pages. */
export function readSidebar(): Part[] {
  const known = new Set(listed.flatMap(({ items }) => items.map(({ link }) => link.replace(/#.*$/, ''))))
  const others = addresses.filter(address => !known.has(address))
  const parts = listed.map(({ text, collapsed, items }) => {
    const further = others.filter(address => partOf(address) === text).map(link => ({ text: titleOf(link), link }))
    return { text, collapsed, items: [...items, ...further] }
  })
  return [...parts, readFolder('Decisions', 'decisions'), readFolder('Benchmarks', 'benchmarks')]
}
