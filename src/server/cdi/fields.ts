import { isJsonObject } from '../../base/json.ts'
import type { JsonObject, JsonValue } from '../../base/json.ts'
import { RejectedRequest, replyText } from '../http/reply.ts'

/** Reads the fields of a JSON body by name and type. If one is missing or has another type, the request gets a 400. */
export class Fields {
  readonly #members: JsonObject

  constructor(members: JsonObject) {
    this.#members = members
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#members, name)
  }

  text(name: string): string {
    const value = this.#get(name)
    return typeof value === 'string' ? value : refuse(name)
  }

  flag(name: string): boolean {
    const value = this.#get(name)
    return typeof value === 'boolean' ? value : refuse(name)
  }

  number(name: string): number {
    const value = this.#get(name)
    return typeof value === 'number' ? value : refuse(name)
  }

  object(name: string): JsonObject {
    const value = this.#get(name)
    return isJsonObject(value) ? value : refuse(name)
  }

  texts(name: string): readonly string[] {
    const value = this.#get(name)
    return Array.isArray(value) && value.every(item => typeof item === 'string') ? value : refuse(name)
  }

  #get(name: string): JsonValue | undefined {
    return this.has(name) ? this.#members[name] : undefined
  }
}

/** Reads a parameter of the query. @throws RejectedRequest with 400 if it is missing. */
export function queryText(query: URLSearchParams, name: string): string {
  return query.get(name) ?? fail(`Field name '${name}' is missing in GET request`)
}

/** Reads a flag of the query: true for `true` in upper or lower case, false for any other text. */
export function queryFlag(query: URLSearchParams, name: string, defaultValue: boolean): boolean {
  const value = query.get(name)
  return value === null ? defaultValue : value.toLowerCase() === 'true'
}

/** Refuses the request with 400. */
export function fail(words: string): never {
  throw new RejectedRequest(replyText(400, words))
}

function refuse(name: string): never {
  fail(`Field name '${name}' is invalid in JSON input`)
}
