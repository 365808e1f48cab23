/** A value that is kept with an object of somebody else, such as a session with its request. */
export interface Attachment<Value> {
  /** The value of this object; undefined if it has none. */
  get(target: object): Value | undefined
  set(target: object, value: Value): void
}

/** The property that holds all values of an object: one name for all, so that finding none costs next to nothing. */
const KEPT: unique symbol = Symbol('keyturn')

interface Holder {
  [KEPT]?: Link | undefined
}

/** One value of an object. The values of an object, which are few, are a list. */
class Link {
  readonly next: Link | undefined

  constructor(next: Link | undefined) {
    this.next = next
  }
}

/**
 * Creates an attachment. The value is in a private field, so that no log of the object shows it. A WeakMap with an
 * entry for each request costs more than a verification, most of it while memory is reclaimed. Nearly every object that
 * is asked has no value: saying so takes a private field of the object itself twice as long.
 */
export function createAttachment<Value>(): Attachment<Value> {
  return class Kept extends Link {
    #value: Value

    constructor(next: Link | undefined, value: Value) {
      super(next)
      this.#value = value
    }

    static get(target: Holder): Value | undefined {
      for (let link = target[KEPT]; link !== undefined; link = link.next) {
        if (#value in link) return link.#value
      }
      return undefined
    }

    static set(target: Holder, value: Value): void {
      for (let link = target[KEPT]; link !== undefined; link = link.next) {
        if (#value in link) {
          link.#value = value
          return
        }
      }
      target[KEPT] = new Kept(target[KEPT], value)
    }
  }
}
