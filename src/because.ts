declare const because: unique symbol

/** A type that nothing satisfies and whose name is the reason: the compiler prints it where a rule of the library is broken. */
export interface Because<Message extends string> {
  readonly [because]: Message
}

/** The same, with what would have been right: the compiler prints both. */
export interface BecauseUnknown<Message extends string, Known> {
  readonly [because]: readonly [Message, Known]
}
