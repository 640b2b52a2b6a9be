// The declarations of `@peculiar/webcrypto` name these types of `dom`, which src/ does not load. Empty, so that nothing can be done with them.
// Not emitted: consumers never see this file.
interface Crypto {}
interface CryptoKey {}
interface SubtleCrypto {}
interface KeyAlgorithm {}
type KeyType = string
type KeyUsage = string
