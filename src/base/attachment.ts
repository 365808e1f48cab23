/** A value that is kept with an object of somebody else, such as a session with its request. */
export interface Attachment<Value> {
  /** The value of this object; undefined if it has none. */
  get(target: object): Value | undefined
  set(target: object, value: Value): void
}

/** Its constructor returns an object that exists already, so that the fields of a derived class are added to that. */
class Existing {
  constructor(target: object) {
    return target
  }
}

/**
 * Creates an attachment. The value is a private field of the object: nobody else can read it, and no copy or log of the
 * object contains it. A WeakMap with an entry for each request costs more than a verification, most of it while memory is
 * reclaimed, and `Object.defineProperty` twice as much as a private field.
 */
export function createAttachment<Value>(): Attachment<Value> {
  return class Attached extends Existing {
    #value: Value

    constructor(target: object, value: Value) {
      super(target)
      this.#value = value
    }

    static get(target: object): Value | undefined {
      return #value in target ? target.#value : undefined
    }

    static set(target: object, value: Value): void {
      if (#value in target) target.#value = value
      else new Attached(target, value)
    }
  }
}
