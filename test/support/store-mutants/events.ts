import type { EventQuery, ListedSession, LoginFilter, StoredEvent } from '../../../src/session/store.ts'
import { sampleNow } from '../../../src/testing/contracts.ts'
import type { Mutants } from './mutant.ts'

/** Stores that violate the contract for the event log or the list of the newest sessions. */
export const eventMutants: Mutants = {
  'appendEvent does nothing': () => ({ appendEvent: async () => undefined }),
  'appendEvent replaces an event with the same id': sound => {
    const newest = new Map<string, StoredEvent>()
    return {
      async appendEvent(event) {
        newest.set(event.id, event)
        await sound.appendEvent(event)
      },
      async pageEvents(query, page) {
        const { events, next } = await sound.pageEvents(query, page)
        return { events: events.map(event => newest.get(event.id) ?? event), next }
      },
    }
  },
  'appendEvent throws for an id that exists': sound => {
    const ids = new Set<string>()
    return {
      async appendEvent(event) {
        if (ids.has(event.id)) throw new Error('exists')
        ids.add(event.id)
        await sound.appendEvent(event)
      },
    }
  },
  'appendEvent adds the same event twice': sound => {
    let copies = 0
    return { appendEvent: event => sound.appendEvent({ ...event, id: `${event.id}-${copies++}` }) }
  },
  'appendEvent takes no user for an empty one': sound => ({
    appendEvent: event => sound.appendEvent({ ...event, userId: event.userId ?? '' }),
  }),
  'appendEvent parses the detail': sound => ({
    appendEvent: event => sound.appendEvent({ ...event, detail: event.detail.replace(/\\u0000/g, '') }),
  }),
  'events are deleted with their session': sound => {
    const gone = new Set<string | null>()
    return {
      async remove(handles, from) {
        for (const handle of handles) gone.add(handle)
        return sound.remove(handles, from)
      },
      async pageEvents(query, page) {
        const { events, next } = await sound.pageEvents(query, page)
        return { events: events.filter(({ handle }) => !gone.has(handle)), next }
      },
    }
  },
  'pageEvents is oldest first': sound => ({
    async pageEvents(query, page) {
      const { events, next } = await sound.pageEvents(query, page)
      return { events: events.toReversed(), next }
    },
  }),
  'pageEvents orders by id alone': sound => ({
    async pageEvents(query, page) {
      const { events, next } = await sound.pageEvents(query, page)
      return { events: events.toSorted((left, right) => left.id < right.id ? 1 : -1), next }
    },
  }),
  'pageEvents ignores the kinds': sound => ({
    pageEvents: (query, page) => sound.pageEvents({ ...query, kinds: ['theft', 'shared', 'rejected', 'audit'] }, page),
  }),
  'pageEvents takes only the first kind': sound => ({
    pageEvents: (query, page) => sound.pageEvents({ ...query, kinds: query.kinds.slice(0, 1) }, page),
  }),
  'pageEvents ignores the user': sound => ({
    pageEvents: (query, page) => sound.pageEvents({ ...query, userId: null }, page),
  }),
  'pageEvents ignores the session': sound => ({
    pageEvents: (query, page) => sound.pageEvents({ ...query, handle: null }, page),
  }),
  'pageEvents ignores the user if there is a session': sound => ({
    pageEvents: (query, page) =>
      sound.pageEvents({ ...query, userId: query.handle === null ? query.userId : null }, page),
  }),
  'pageEvents compares users without case': sound => ({
    appendEvent: event => sound.appendEvent({ ...event, userId: event.userId?.toLowerCase() ?? null }),
    async pageEvents(query, page) {
      return sound.pageEvents({ ...query, userId: query.userId?.toLowerCase() ?? null }, page)
    },
  }),
  'pageEvents ignores the limit': sound => ({
    pageEvents: (query, page) => sound.pageEvents(query, { ...page, limit: 1000 }),
  }),
  'pageEvents has one page': sound => ({
    pageEvents: async (query, page) => ({ ...await sound.pageEvents(query, page), next: null }),
  }),
  'pageEvents skips those of the same time': sound => ({
    pageEvents: (query, page) =>
      sound.pageEvents(query, { ...page, after: page.after?.replace(/\..*$/, '.-') ?? null }),
  }),
  'pageEvents pages by number': sound => ({
    async pageEvents(query: EventQuery, { limit, after }) {
      const { events } = await sound.pageEvents(query, { limit: 1000, after: null })
      const to = Number(after ?? 0) + limit
      return { events: events.slice(to - limit, to), next: to < events.length ? `${to}` : null }
    },
  }),
  'pageEvents begins again at an unknown position': sound => ({
    pageEvents: (query, page) => sound.pageEvents(
      query, { ...page, after: /^\d+\.[\w-]+$/.test(page.after ?? '') ? page.after : null }),
  }),
  'removeExpired keeps events': sound => {
    const kept: StoredEvent[] = []
    return {
      async appendEvent(event) {
        kept.push(event)
        await sound.appendEvent(event)
      },
      async removeExpired(now, limit) {
        const answer = await sound.removeExpired(now, limit)
        for (const event of kept) await sound.appendEvent(event)
        return answer
      },
    }
  },
  'removeExpired removes all events': sound => ({
    async removeExpired(now, limit) {
      await sound.removeExpired(Number.MAX_SAFE_INTEGER, 1000)
      return sound.removeExpired(now, limit)
    },
  }),
  'listNewest is oldest first': sound => ({
    async listNewest(filter, page) {
      const { sessions, next } = await sound.listNewest(filter, page)
      return { sessions: sessions.toReversed(), next }
    },
  }),
  'listNewest hides expired sessions': sound => ({
    async listNewest(filter, page) {
      const { sessions, next } = await sound.listNewest(filter, page)
      return { sessions: sessions.filter(({ expiresAt }) => expiresAt > sampleNow), next }
    },
  }),
  'listNewest is in the order of refreshes': sound => ({
    async listNewest(filter, page) {
      const { sessions, next } = await sound.listNewest(filter, page)
      return { sessions: sessions.toSorted((left, right) => right.rotatedAt - left.rotatedAt), next }
    },
  }),
  'listNewest lists one user': sound => ({
    listNewest: (_filter, page) => sound.listByUser('user-1', page),
  }),
  'listNewest keeps removed sessions': sound => {
    const gone: ListedSession[] = []
    return {
      async remove(handles, from) {
        const { sessions } = await sound.listNewest({ tenantId: null, ip: null, userAgent: null }, {
          limit: 1000,
          after: null,
        })
        gone.push(...sessions.filter(({ handle }) => handles.includes(handle)))
        return sound.remove(handles, from)
      },
      async listNewest(filter, page) {
        const { sessions, next } = await sound.listNewest(filter, page)
        return { sessions: [...sessions, ...gone], next }
      },
    }
  },
  'listNewest skips those of the same time': sound => ({
    listNewest: (filter, page) =>
      sound.listNewest(filter, { ...page, after: page.after?.replace(/\..*$/, '.-') ?? null }),
  }),
  'listNewest repeats the last of a page': sound => ({
    async listNewest(filter, page) {
      const answer = await sound.listNewest(filter, page)
      return { ...answer, next: answer.next === null ? null : `${answer.next}-` }
    },
  }),
  'listNewest never ends': sound => ({
    async listNewest(filter, page) {
      const answer = await sound.listNewest(filter, page)
      return { ...answer, next: answer.next ?? '0.x' }
    },
  }),
  'listNewest ignores the limit': sound => ({
    listNewest: (filter, page) => sound.listNewest(filter, { ...page, limit: 1000 }),
  }),
  'listNewest does not go on searching': sound => ({
    async listNewest(filter, page) {
      const answer = await sound.listNewest(filter, page)
      return answer.sessions.length < page.limit ? { ...answer, next: null } : answer
    },
  }),
  ...ignoring('tenantId'),
  ...ignoring('ip'),
  ...ignoring('userAgent'),
  'listNewest compares user agents with case': sound => ({
    async listNewest(filter, page) {
      const { sessions, next } = await sound.listNewest(filter, page)
      const { userAgent } = filter
      return {
        sessions: sessions.filter(({ client }) => userAgent === null || client.userAgent?.includes(userAgent) === true),
        next,
      }
    },
  }),
  'listNewest compares a part of the address': sound => ({
    async listNewest(filter, page) {
      const { sessions, next } = await sound.listNewest({ ...filter, ip: null }, page)
      return { sessions: sessions.filter(({ client }) => client.ip?.includes(filter.ip ?? '') === true), next }
    },
  }),
}

/** A store that ignores a condition of the filter. */
function ignoring(name: keyof LoginFilter): Mutants {
  return {
    [`listNewest ignores the ${name}`]: sound => ({
      listNewest: (filter, page) => sound.listNewest({ ...filter, [name]: null }, page),
    }),
  }
}
