/** Where Debian's package of a lane is, below any mirror of Debian, and what it must hash to. */
export interface DebianBuild {
  readonly path: string
  readonly packageSha256: string
  readonly binarySha256: string
}

/** One etcd version that tests run against. */
export interface Lane {
  readonly name: string
  /** `'with-go'`: required wherever a Go toolchain is on the PATH. */
  readonly required: boolean | 'with-go'
  readonly version: string
  /** The v2 API: served by default, with `--enable-v2=true`, or gone. */
  readonly v2: 'default' | 'flag' | 'none'
  readonly source:
    | {
        readonly kind: 'debian'
        /** The Debian release that carries the package; said to whoever has to look for it. */
        readonly suite: string
        readonly architectures: Readonly<Record<string, DebianBuild>>
      }
    | {
        readonly kind: 'go'
        /** The wrapper module, relative to the root of the repository. */
        readonly directory: string
      }
}

/** A lane whose binary is here and is the one that the lane pins. */
export interface AvailableLane extends Lane {
  readonly binary: string
  readonly from: 'hand' | 'cache'
}

export type Environment = Readonly<Record<string, string | undefined>>

/** Every lane of `test/lanes.json`, oldest etcd first. */
export function lanes(): readonly Lane[]

/**
 * A lane's binary, if it is here; never fetches. A binary in the cache whose hash is not the pinned one counts as absent.
 *
 * @throws `Error` if no lane has this name, or if the binary given by hand is not of the lane's version
 */
export function findLane(name: string, environment?: Environment): Promise<AvailableLane | undefined>

/** The lanes whose binary is here, oldest etcd first. Fails where {@link findLane} does. */
export function availableLanes(environment?: Environment): Promise<readonly AvailableLane[]>

/** The lanes that must be here and are not. */
export function missingLanes(environment?: Environment): Promise<readonly Lane[]>

/** The environment variable that gives a lane's binary by hand. */
export function laneVariable(name: string): string

/** The version that `etcd --version` printed, or undefined if that is not etcd's output. */
export function printedVersion(output: string): string | undefined

/** Where the binaries are: `ETCD_RBAC_CACHE`, or `.cache/etcd` in the repository. */
export function cacheDirectory(environment?: Environment): string

/** The distinct mirrors in what `apt-get indextargets --format '$(REPO_URI)'` printed, without their last slash. */
export function printedMirrors(output: string): readonly string[]

/** The mirrors in a mirror list, the file behind a `mirror+file:` source. */
export function listedMirrors(list: string): readonly string[]

/** SHA-256 of a file, in hex; undefined if there is no such file. */
export function sha256(path: string): Promise<string | undefined>

/** Whether this runs in CI, where a required lane that is missing is a failure: `CI` is set, and neither `false` nor `0`. */
export function isCi(environment?: Environment): boolean

/**
 * Downloads a file from the first mirror that has it as pinned.
 *
 * @throws `Error` that begins with "hash mismatch" if a mirror has another file in its place, and otherwise says what each mirror answered
 */
export function downloadPinned(
  file: { readonly mirrors: readonly string[]; readonly path: string; readonly sha256: string; readonly suite: string },
  target: string,
  download: (uri: string, target: string) => Promise<void>,
): Promise<void>

/**
 * Fetches or builds what is missing of these lanes, one after the other, and prints one line for each.
 *
 * @returns the lanes that are still missing although they are required here
 */
export function fetchLanes(
  names?: readonly string[],
  options?: { readonly environment?: Environment; readonly print?: (line: string) => void },
): Promise<readonly string[]>
